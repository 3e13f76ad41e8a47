// SPDX-License-Identifier: Apache-2.0
#include "app/json_text.hpp"

namespace troupe::app {
namespace {

/// Bytes of the well-formed UTF-8 sequence at the front (Unicode, table 3-7),
/// or 0.
std::size_t sequence_bytes(std::string_view text) {
  const auto at = [text](std::size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned lead = at(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || length > text.size())
    return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xC0) != 0x80)
      return 0;
  const bool overlong =
      (lead == 0xE0 && at(1) < 0xA0) || (lead == 0xF0 && at(1) < 0x90);
  const bool surrogate = lead == 0xED && at(1) >= 0xA0;
  const bool beyond = lead == 0xF4 && at(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

void append_ascii(std::string& to, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto code = static_cast<unsigned char>(c);
  switch (c) {
  case '"':
    to += "\\\"";
    return;
  case '\\':
    to += "\\\\";
    return;
  case '\n':
    to += "\\n";
    return;
  case '\r':
    to += "\\r";
    return;
  case '\t':
    to += "\\t";
    return;
  default:
    break;
  }
  if (code >= 0x20 && code != 0x7F) {
    to += c;
    return;
  }
  to += "\\u00";
  to += hex[code >> 4];
  to += hex[code & 15];
}

} // namespace

void append_json(std::string& to, std::string_view text) {
  to += '"';
  while (!text.empty()) {
    const auto length = sequence_bytes(text);
    if (length == 0)
      to += "\\ufffd";
    else if (length == 1)
      append_ascii(to, text.front());
    else
      to += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  to += '"';
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = sequence_bytes(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

} // namespace troupe::app
