// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/decoder.hpp"
#include "net/mqtt/packets.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::mqtt::test {

/// A packet and exactly the bytes it is. Strings are literals.
struct sample {
  std::string_view name;
  version by;
  sender from;
  std::string bytes;
  any_packet packet;
};
const std::vector<sample>& samples();

/// What is refused, by whom, and why.
struct bad_sample {
  std::string_view name;
  version by;
  sender from;
  std::string bytes;
  reason_code reason;
  std::string_view text; ///< to_string(violation)
};
const std::vector<bad_sample>& bad_samples();

/// "10 'MQTT' 0c": hex digits, and text between quotes.
std::string bytes_of(std::string_view spelled);
std::string hex(core::bytes_view bytes);

/// decode_frame() and decode() on all of some bytes.
decoded decode_all(std::string_view bytes, version by, sender from,
                   const decode_limits& limits = {});

/// What encode() makes of it; "" if it makes nothing.
std::string encode_all(const any_packet& packet, version by);

} // namespace troupe::net::mqtt::test
