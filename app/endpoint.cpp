// SPDX-License-Identifier: Apache-2.0
#include "app/endpoint.hpp"

#include <boost/asio/ip/address.hpp>

#include <charconv>

namespace troupe::app {
namespace {

core::error bad_endpoint(std::string_view text, std::string_view why) {
  return {core::errc::invalid_config,
          "'" + std::string{text} + "' " + std::string{why} +
              "; expected HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080"};
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

} // namespace

core::result<endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return bad_endpoint(text, "has no port");

  const auto port_text = text.substr(colon + 1);
  unsigned port = 0;
  const auto* end = port_text.data() + port_text.size();
  const auto [stop, failure] = std::from_chars(port_text.data(), end, port);
  if (failure != std::errc{} || stop != end || port > 65535)
    return bad_endpoint(text, "has no port between 0 and 65535");

  auto host = text.substr(0, colon);
  endpoint where{{}, static_cast<std::uint16_t>(port)};
  if (host.empty()) {
    where.host = "0.0.0.0";
    return where;
  }
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    boost::system::error_code no_address;
    boost::asio::ip::make_address_v6(std::string{host}, no_address);
    if (no_address)
      return bad_endpoint(text, "has no IPv6 address in its brackets");
  } else {
    for (char c : host)
      if (!is_host_char(c))
        return bad_endpoint(text, c == ':' ? "needs brackets around IPv6"
                                           : "is no address");
  }
  where.host = std::string{host};
  return where;
}

std::string to_string(const endpoint& where) {
  const bool brackets = where.host.find(':') != std::string::npos;
  return (brackets ? '[' + where.host + ']' : where.host) + ':' +
         std::to_string(where.port);
}

bool is_loopback(const endpoint& where) {
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(where.host, no_address);
  return no_address ? where.host == "localhost" : address.is_loopback();
}

bool is_address(const std::string& host) {
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  return !no_address;
}

bool is_wildcard(const endpoint& where) {
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(where.host, no_address);
  return !no_address && address.is_unspecified();
}

} // namespace troupe::app
