// SPDX-License-Identifier: Apache-2.0
#include "net/ip_endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

namespace troupe::net {

namespace ip = boost::asio::ip;

namespace {

core::error bad_endpoint(std::string_view text) {
  return {core::errc::invalid_config,
          "'" + std::string{text} + "' is not ADDRESS:PORT"};
}

core::error bad_network(std::string_view text) {
  return {core::errc::invalid_config,
          "'" + std::string{text} + "' is not an address or ADDRESS/BITS"};
}

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  const auto* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, out);
  return !text.empty() && parsed.ec == std::errc{} && parsed.ptr == end;
}

ip::address_v6 mapped(const ip::address& address) {
  if (address.is_v6())
    return address.to_v6();
  return ip::make_address_v6(ip::v4_mapped, address.to_v4());
}

} // namespace

std::string to_string(const ip_endpoint& endpoint) {
  auto host = endpoint.address.to_string();
  if (endpoint.address.is_v6())
    host = "[" + host + "]";
  return host + ":" + std::to_string(endpoint.port);
}

core::result<ip_endpoint> parse_endpoint(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return bad_endpoint(text);
  auto host = text.substr(0, colon);
  ip_endpoint endpoint;
  if (!parse_number(text.substr(colon + 1), endpoint.port))
    return bad_endpoint(text);
  if (host.empty() || host == "*") {
    endpoint.address = ip::address_v6::any();
    return endpoint;
  }
  if (host == "localhost") {
    endpoint.address = ip::address_v4::loopback();
    return endpoint;
  }
  auto bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  boost::system::error_code failed;
  endpoint.address = ip::make_address(std::string{host}, failed);
  // An IPv6 address without brackets is ambiguous about its port.
  if (failed || bracketed != endpoint.address.is_v6())
    return bad_endpoint(text);
  return endpoint;
}

core::result<ip_network> ip_network::parse(std::string_view text) {
  auto slash = text.find('/');
  boost::system::error_code failed;
  auto address = ip::make_address(std::string{text.substr(0, slash)}, failed);
  if (failed)
    return bad_network(text);
  unsigned width = address.is_v4() ? 32 : 128;
  unsigned bits = width;
  if (slash != std::string_view::npos &&
      (!parse_number(text.substr(slash + 1), bits) || bits > width))
    return bad_network(text);
  ip_network network;
  network.base_ = mapped(address);
  network.bits_ = bits + (128 - width);
  return network;
}

bool ip_network::contains(const ip::address& address) const {
  auto ours = base_.to_bytes();
  auto theirs = mapped(address).to_bytes();
  auto whole = bits_ / 8;
  if (!std::equal(ours.begin(), ours.begin() + whole, theirs.begin()))
    return false;
  auto rest = bits_ % 8;
  if (rest == 0)
    return true;
  auto mask = 0xffU << (8 - rest);
  return ((ours[whole] ^ theirs[whole]) & mask) == 0;
}

ip::address unmapped(const ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

sockaddr_storage to_sockaddr(const ip_endpoint& endpoint, unsigned& length) {
  sockaddr_storage raw{};
  if (endpoint.address.is_v4()) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(endpoint.port);
    four.sin_addr.s_addr = htonl(endpoint.address.to_v4().to_uint());
    std::memcpy(&raw, &four, sizeof four);
    length = sizeof four;
    return raw;
  }
  auto v6 = endpoint.address.to_v6();
  auto bytes = v6.to_bytes();
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(endpoint.port);
  six.sin6_scope_id = static_cast<std::uint32_t>(v6.scope_id());
  std::memcpy(&six.sin6_addr, bytes.data(), bytes.size());
  std::memcpy(&raw, &six, sizeof six);
  length = sizeof six;
  return raw;
}

ip_endpoint from_sockaddr(const sockaddr_storage& raw) {
  if (raw.ss_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &raw, sizeof four);
    return {ip::address_v4{ntohl(four.sin_addr.s_addr)}, ntohs(four.sin_port)};
  }
  if (raw.ss_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &raw, sizeof six);
    ip::address_v6::bytes_type bytes{};
    std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
    return {unmapped(ip::address_v6{bytes, six.sin6_scope_id}),
            ntohs(six.sin6_port)};
  }
  return {};
}

} // namespace troupe::net
