// SPDX-License-Identifier: Apache-2.0
#include "net/mq/ascii_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>

namespace troupe::net::mq {

namespace {

constexpr std::uint32_t replacement = 0xfffd;

struct code_point {
  std::uint32_t value;
  std::size_t bytes;
};

/// The code point at the front of `text`, which starts with a byte >= 0x80.
code_point read_utf8(std::string_view text) noexcept {
  auto at = [&](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(text[i]);
  };
  const auto lead = at(0);
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes)
    return {replacement, 1};
  auto value = lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((at(i) & 0xc0) != 0x80)
      return {replacement, i};
    value = value << 6 | (at(i) & 0x3f);
  }
  const bool overlong =
      (bytes == 3 && value < 0x800) || (bytes == 4 && value < 0x10000);
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (overlong || surrogate || value > 0x10ffff)
    return {replacement, bytes};
  return {value, bytes};
}

char* write_unit(char* to, std::uint32_t unit) noexcept {
  constexpr char digits[] = "0123456789abcdef";
  *to++ = '\\';
  *to++ = 'u';
  for (int shift = 12; shift >= 0; shift -= 4)
    *to++ = digits[unit >> shift & 0xf];
  return to;
}

char* write_control(char* to, char c) noexcept {
  char letter = 0;
  switch (c) {
  case '"':
    letter = '"';
    break;
  case '\\':
    letter = '\\';
    break;
  case '\b':
    letter = 'b';
    break;
  case '\f':
    letter = 'f';
    break;
  case '\n':
    letter = 'n';
    break;
  case '\r':
    letter = 'r';
    break;
  case '\t':
    letter = 't';
    break;
  default:
    return write_unit(to, static_cast<unsigned char>(c));
  }
  *to++ = '\\';
  *to++ = letter;
  return to;
}

void append_number(std::string& to, double number) {
  // JSON has no infinity; a parser that overflowed can still hold one.
  if (!std::isfinite(number)) {
    to += "null";
    return;
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  to.append(text, end);
}

void append_object(std::string& to, const boost::json::object& object) {
  to += '{';
  bool first = true;
  for (const auto& [key, value] : object) {
    if (!first)
      to += ',';
    first = false;
    append_json(to, std::string_view{key.data(), key.size()});
    to += ':';
    append_json(to, value);
  }
  to += '}';
}

void append_array(std::string& to, const boost::json::array& array) {
  to += '[';
  bool first = true;
  for (const auto& value : array) {
    if (!first)
      to += ',';
    first = false;
    append_json(to, value);
  }
  to += ']';
}

} // namespace

char* write_escaped(char* to, std::string_view utf8) noexcept {
  for (std::size_t i = 0; i < utf8.size();) {
    const char c = utf8[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      const auto [value, bytes] = read_utf8(utf8.substr(i));
      if (value >= 0x10000) {
        to = write_unit(to, 0xd800 + ((value - 0x10000) >> 10));
        to = write_unit(to, 0xdc00 + ((value - 0x10000) & 0x3ff));
      } else {
        to = write_unit(to, value);
      }
      i += bytes;
      continue;
    }
    if (byte < 0x20 || c == '"' || c == '\\' || byte == 0x7f)
      to = write_control(to, c);
    else
      *to++ = c;
    ++i;
  }
  return to;
}

void append_json(std::string& to, std::string_view text) {
  const auto before = to.size();
  to.resize(before + escape_factor * text.size() + 2);
  char* const start = to.data() + before;
  *start = '"';
  char* end = write_escaped(start + 1, text);
  *end++ = '"';
  to.resize(before + static_cast<std::size_t>(end - start));
}

void append_json(std::string& to, const boost::json::value& value) {
  switch (value.kind()) {
  case boost::json::kind::null:
    to += "null";
    break;
  case boost::json::kind::bool_:
    to += value.get_bool() ? "true" : "false";
    break;
  case boost::json::kind::int64:
    to += std::to_string(value.get_int64());
    break;
  case boost::json::kind::uint64:
    to += std::to_string(value.get_uint64());
    break;
  case boost::json::kind::double_:
    append_number(to, value.get_double());
    break;
  case boost::json::kind::string: {
    const auto& text = value.get_string();
    append_json(to, std::string_view{text.data(), text.size()});
    break;
  }
  case boost::json::kind::array:
    append_array(to, value.get_array());
    break;
  case boost::json::kind::object:
    append_object(to, value.get_object());
    break;
  }
}

} // namespace troupe::net::mq
