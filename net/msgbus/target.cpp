// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/target.hpp"

#include "net/http_message.hpp"

#include <algorithm>

namespace troupe::net::msgbus {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

void take(std::optional<std::string>& slot, std::string_view value) {
  if (!slot)
    slot = decode_parameter(value);
}

void take_parameter(target& to, std::string_view item) {
  const auto equals = std::min(item.find('='), item.size());
  const auto name = decode_parameter(item.substr(0, equals));
  const auto value = item.substr(std::min(equals + 1, item.size()));
  if (equal_ignoring_case(name, "type"))
    take(to.type, value);
  else if (equal_ignoring_case(name, "sender"))
    take(to.sender, value);
  else if (equal_ignoring_case(name, "poll"))
    take(to.poll, value);
  else if (equal_ignoring_case(name, "since"))
    take(to.since, value);
  else if (equal_ignoring_case(name, "format"))
    take(to.format, value);
}

} // namespace

std::string decode_parameter(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
      continue;
    }
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto high = digit_of(text[i + 1]);
      const auto low = digit_of(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

std::optional<target> parse_target(std::string_view text) {
  if (!text.starts_with(path_prefix))
    return std::nullopt;
  text.remove_prefix(path_prefix.size());
  const auto question = std::min(text.find('?'), text.size());
  target found;
  found.channel = text.substr(0, question);
  auto query = text.substr(std::min(question + 1, text.size()));
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    take_parameter(found, query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return found;
}

} // namespace troupe::net::msgbus
