// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::app {

/// Where to listen or to connect: a host name or address, and a port (0 lets
/// the system choose when listening).
struct endpoint {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// Reads "host:port", "192.0.2.1:port", "[2001:db8::1]:port", and ":port" for
/// every IPv4 address of the machine.
[[nodiscard]] core::result<endpoint> parse_endpoint(std::string_view text);

/// The inverse of parse_endpoint.
[[nodiscard]] std::string to_string(const endpoint& where);

/// Whether only this machine can reach it: 127.0.0.0/8, ::1, localhost.
[[nodiscard]] bool is_loopback(const endpoint& where);

/// Whether it is an IP address rather than a name.
[[nodiscard]] bool is_address(const std::string& host);

/// Whether it stands for every address of the machine.
[[nodiscard]] bool is_wildcard(const endpoint& where);

} // namespace troupe::app
