// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_header.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <optional>

namespace troupe::net {

namespace {

constexpr std::size_t v2_fixed_bytes = 16;

proxy_header malformed() {
  return {proxy_header::status::malformed, 0, {}, {}};
}

/// The next word of a line; exactly one blank parts two words.
std::string_view take_word(std::string_view& line) {
  const auto at = line.find(' ');
  const auto word = line.substr(0, at);
  line =
      at == std::string_view::npos ? std::string_view{} : line.substr(at + 1);
  return word;
}

bool read_ip(std::string_view text, peer_address::family kind,
             peer_address& to) {
  char terminated[INET6_ADDRSTRLEN] = {};
  if (text.empty() || text.size() >= sizeof terminated)
    return false;
  std::copy(text.begin(), text.end(), terminated);
  to.kind = kind;
  const int family = kind == peer_address::family::ipv4 ? AF_INET : AF_INET6;
  return inet_pton(family, terminated, to.octets.data()) == 1;
}

bool read_port(std::string_view text, std::uint16_t& port) {
  if (text.empty() || (text.size() > 1 && text.front() == '0'))
    return false;
  const char* const end = text.data() + text.size();
  const auto [at, failure] = std::from_chars(text.data(), end, port);
  return failure == std::errc{} && at == end;
}

proxy_header parse_v1(std::string_view text) {
  const auto end = text.substr(0, proxy_v1_bytes_max).find("\r\n");
  if (end == std::string_view::npos)
    return text.size() >= proxy_v1_bytes_max ? malformed() : proxy_header{};
  auto line = text.substr(0, end);
  line.remove_prefix(proxy_v1_signature.size());
  proxy_header result;
  result.what = proxy_header::status::ready;
  result.bytes = end + 2;
  const auto protocol = take_word(line);
  if (protocol == "UNKNOWN")
    return result; // whatever follows is to be ignored
  using enum peer_address::family;
  const auto kind = protocol == "TCP4"   ? ipv4
                    : protocol == "TCP6" ? ipv6
                                         : none;
  if (kind == none || !read_ip(take_word(line), kind, result.source) ||
      !read_ip(take_word(line), kind, result.destination) ||
      !read_port(take_word(line), result.source.port) ||
      !read_port(take_word(line), result.destination.port) || !line.empty())
    return malformed();
  return result;
}

unsigned octet(core::bytes_view in, std::size_t at) {
  return std::to_integer<unsigned>(in[at]);
}

std::uint16_t read_16(core::bytes_view in, std::size_t at) {
  return static_cast<std::uint16_t>(octet(in, at) << 8 | octet(in, at + 1));
}

void read_addresses(core::bytes_view in, peer_address::family kind,
                    std::size_t octets, proxy_header& to) {
  to.source.kind = to.destination.kind = kind;
  std::memcpy(to.source.octets.data(), in.data(), octets);
  std::memcpy(to.destination.octets.data(), in.data() + octets, octets);
  to.source.port = read_16(in, 2 * octets);
  to.destination.port = read_16(in, 2 * octets + 2);
}

proxy_header parse_v2(core::bytes_view in) {
  if (in.size() < v2_fixed_bytes)
    return {};
  const auto version = octet(in, 12) >> 4;
  const auto command = octet(in, 12) & 0x0f;
  const auto family = octet(in, 13) >> 4;
  const std::size_t length = read_16(in, 14);
  const auto size = v2_fixed_bytes + length;
  if (version != 2 || command > 1 || size > proxy_v2_bytes_max)
    return malformed();
  if (in.size() < size)
    return {};
  proxy_header result;
  result.what = proxy_header::status::ready;
  result.bytes = size;
  if (command == 0)
    return result; // LOCAL: the balancer itself, a health check
  const auto rest = in.subspan(v2_fixed_bytes, length);
  constexpr unsigned family_ipv4 = 1;
  constexpr unsigned family_ipv6 = 2;
  const std::size_t octets = family == family_ipv4   ? 4
                             : family == family_ipv6 ? 16
                                                     : 0;
  if (octets == 0)
    return family > 3 ? malformed() : result;
  if (rest.size() < 2 * octets + 4)
    return malformed();
  read_addresses(rest,
                 octets == 4 ? peer_address::family::ipv4
                             : peer_address::family::ipv6,
                 octets, result);
  return result;
}

} // namespace

std::string to_string(const peer_address& address) {
  if (address.kind == peer_address::family::none)
    return "unknown";
  const bool ipv4 = address.kind == peer_address::family::ipv4;
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(ipv4 ? AF_INET : AF_INET6, address.octets.data(), text,
            sizeof text);
  const std::string host{text};
  return (ipv4 ? host : '[' + host + ']') + ':' + std::to_string(address.port);
}

proxy_header parse_proxy_header(core::bytes_view in) {
  const auto text = core::as_text(in);
  auto starts = [&](std::string_view signature) {
    const auto shared = std::min(text.size(), signature.size());
    return text.substr(0, shared) == signature.substr(0, shared);
  };
  if (starts(proxy_v1_signature))
    return text.size() < proxy_v1_signature.size() ? proxy_header{}
                                                   : parse_v1(text);
  if (starts(proxy_v2_signature))
    return text.size() < proxy_v2_signature.size() ? proxy_header{}
                                                   : parse_v2(in);
  return malformed();
}

} // namespace troupe::net
