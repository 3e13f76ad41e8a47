// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/basic_credentials.hpp"

#include "net/http_message.hpp"

#include <cstdint>

namespace troupe::net::msgbus {
namespace {

int value_of(char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  if (c == '+')
    return 62;
  return c == '/' ? 63 : -1;
}

std::optional<std::string> decode(std::string_view text) {
  while (!text.empty() && text.back() == '=')
    text.remove_suffix(1);
  if (text.size() % 4 == 1)
    return std::nullopt;
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const auto value = value_of(c);
    if (value < 0)
      return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8)
      continue;
    held -= 8;
    out.push_back(static_cast<char>(bits >> held & 0xffU));
  }
  return out;
}

} // namespace

std::optional<basic_credentials> parse_basic(std::string_view field) {
  const auto blank = field.find(' ');
  if (blank == std::string_view::npos ||
      !equal_ignoring_case(field.substr(0, blank), "Basic"))
    return std::nullopt;
  field.remove_prefix(blank);
  const auto begin = field.find_first_not_of(' ');
  if (begin == std::string_view::npos)
    return std::nullopt;
  field.remove_prefix(begin);
  field = field.substr(0, field.find_last_not_of(' ') + 1);
  const auto plain = decode(field);
  const auto colon = plain ? plain->find(':') : std::string::npos;
  if (colon == std::string::npos)
    return std::nullopt;
  return basic_credentials{plain->substr(0, colon), plain->substr(colon + 1)};
}

bool same_secret(std::string_view a, std::string_view b) noexcept {
  unsigned different = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char other = b.empty() ? '\0' : b[i % b.size()];
    different |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^
                                       static_cast<unsigned char>(other));
  }
  return different == 0;
}

} // namespace troupe::net::msgbus
