// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// For word_encoder.cpp and word_decoder.cpp.
namespace troupe::app::workers {

/// Numbers of the format: both ways, to the worker from 16 on, to the agent
/// from 32 on.
enum class contents : std::uint8_t {
  beat = 1,
  configure = 16,
  event = 17,
  refused = 18,
  reload = 19,
  drain = 20,
  stop = 21,
  bus_ruling = 22,
  welcome = 23,
  answer = 24,
  published = 25,
  channel_event = 26,
  seat_over = 27,
  ready = 32,
  counts = 33,
  opened = 34,
  speaks = 35,
  commands = 36,
  closed = 37,
  bus_wish = 38,
  knock = 39,
  request = 40,
  seat_left = 41,
};

/// An offset that is none: offsets end at 99.
inline constexpr std::uint8_t no_offset = 0xFF;

} // namespace troupe::app::workers
