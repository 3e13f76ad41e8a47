// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/certificate_name.hpp"

#include <charconv>

namespace troupe::net::mqtt {
namespace {

constexpr std::string_view key = "CN=";

/// The value at the front of `text`, up to what ends it.
std::string value_at(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ',' || c == '+')
      break;
    if (c != '\\' || i + 1 == text.size()) {
      value.push_back(c);
      continue;
    }
    unsigned byte = 0;
    const auto* digits = text.data() + i + 1;
    if (i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      value.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      value.push_back(text[++i]);
    }
  }
  return value;
}

} // namespace

std::string common_name_of(std::string_view subject) {
  bool begins = true; // of a part
  for (std::size_t i = 0; i < subject.size(); ++i) {
    if (begins && subject.substr(i).starts_with(key))
      return value_at(subject.substr(i + key.size()));
    begins = subject[i] == ',' || subject[i] == '+';
    if (subject[i] == '\\')
      ++i;
  }
  return {};
}

} // namespace troupe::net::mqtt
