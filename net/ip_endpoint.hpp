// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr_storage;

namespace troupe::net {

/// An IP address and a port.
struct ip_endpoint {
  boost::asio::ip::address address;
  std::uint16_t port = 0;

  friend bool operator==(const ip_endpoint&, const ip_endpoint&) = default;
};

/// "127.0.0.1:8080", "[::1]:8080".
std::string to_string(const ip_endpoint& endpoint);

/// HOST:PORT of an option: an IPv4 address, an IPv6 address in brackets,
/// "localhost", or nothing / "*" for every address of the machine (dual
/// stack); port 0 asks the system for a free one. Names are not looked up:
/// invalid_config.
core::result<ip_endpoint> parse_endpoint(std::string_view text);

/// Addresses of a network: "10.0.0.0/8", "fd00::/8", or a single address.
class ip_network {
public:
  static core::result<ip_network> parse(std::string_view text);
  /// An IPv4-mapped IPv6 address counts as the IPv4 address.
  [[nodiscard]] bool contains(const boost::asio::ip::address& address) const;

private:
  boost::asio::ip::address_v6 base_; // IPv4 as mapped IPv6
  unsigned bits_ = 128;
};

/// The IPv4 address inside a mapped IPv6 one, else the address itself.
boost::asio::ip::address unmapped(const boost::asio::ip::address& address);

/// Conversions at the socket calls. `length` is set by the first.
sockaddr_storage to_sockaddr(const ip_endpoint& endpoint, unsigned& length);
/// Mapped IPv6 addresses become IPv4; anything but IP gives {}.
ip_endpoint from_sockaddr(const sockaddr_storage& raw);

} // namespace troupe::net
