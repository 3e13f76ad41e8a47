// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The PROXY protocol, versions 1 and 2: what a load balancer puts in front
/// of a connection to say who the real peer is. Pure. Only to be read from
/// balancers that are trusted.
namespace troupe::net {

inline constexpr std::string_view proxy_v1_signature = "PROXY ";
inline constexpr std::string_view proxy_v2_signature{"\r\n\r\n\0\r\nQUIT\n",
                                                     12};
/// The longest line of version 1, with its line end.
inline constexpr std::size_t proxy_v1_bytes_max = 107;
/// The longest header of version 2 that is taken, its extras included.
inline constexpr std::size_t proxy_v2_bytes_max = 4096;

/// An IP address and a port.
struct peer_address {
  enum class family : std::uint8_t { none, ipv4, ipv6 };
  family kind = family::none;
  std::array<std::uint8_t, 16> octets{}; ///< 4 of them for ipv4
  std::uint16_t port = 0;

  friend bool operator==(const peer_address&, const peer_address&) = default;
};

/// "192.0.2.1:443", "[2001:db8::1]:443", "unknown".
std::string to_string(const peer_address& address);

struct proxy_header {
  enum class status : std::uint8_t { need_more, ready, malformed };
  status what = status::need_more;
  std::size_t bytes = 0; ///< size of the header if ready
  /// Kind none for health checks, unix sockets and UNKNOWN: then the
  /// connection's own addresses count.
  peer_address source{};
  peer_address destination{};
};

/// Reads the header at the front of `in`; extras of version 2 (TLVs) are
/// skipped. Bytes that start like no header are malformed.
[[nodiscard]] proxy_header parse_proxy_header(core::bytes_view in);

} // namespace troupe::net
