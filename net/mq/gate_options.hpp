// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>

namespace troupe::net::mq {

/// What a gate allows. Shared by all connections of a listener.
struct gate_options {
  /// From the connection to the first login attempt (A.6-1).
  core::milliseconds login_time{6'000};
  /// From the flush of a delivery to its repetition (A.9).
  core::milliseconds retry_time{10'000};
  /// The largest window a login is granted.
  std::uint32_t window_max = 1024;
  /// etc and data of a ping; more is refused with "ping too large".
  std::size_t ping_bytes_max = 4096;
  /// register and addNode on one connection before its login.
  std::uint32_t requests_before_login_max = 32;
  /// Unanswered requests, and the bytes of their bodies; beyond either the
  /// connection is not read until answers come. One request is always let in.
  std::size_t requests_max = 1024;
  std::size_t request_bytes_max = std::size_t{16} << 20;
  /// No further delivery is written while this much waits for the socket.
  std::size_t output_bytes_max = std::size_t{1} << 20;
  /// A whole message.
  std::size_t message_bytes_max = std::size_t{64} << 20;
  /// A whole message of somebody unknown: `LLLL` and the largest header.
  std::size_t message_bytes_before_login_max = 4 + 0xffff;
};

} // namespace troupe::net::mq
