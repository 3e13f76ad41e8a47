// SPDX-License-Identifier: Apache-2.0
#include "core/json_text.hpp"

#include <cstdio>

namespace troupe::core {
namespace {

constexpr std::uint32_t replacement = 0xFFFD;

/// Takes one code point off the front of `text` (never empty).
std::uint32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  std::size_t more = 0;
  std::uint32_t code = 0;
  if (lead < 0x80)
    code = lead;
  else if (lead >= 0xC2 && lead < 0xE0)
    more = 1, code = lead & 0x1FU;
  else if (lead >= 0xE0 && lead < 0xF0)
    more = 2, code = lead & 0x0FU;
  else if (lead >= 0xF0 && lead < 0xF5)
    more = 3, code = lead & 0x07U;
  else
    code = replacement;
  for (std::size_t i = 1; i <= more; ++i) {
    if (i >= text.size() ||
        (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
      text.remove_prefix(i);
      return replacement;
    }
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  text.remove_prefix(more + 1);
  const bool overlong = (more == 2 && code < 0x800) ||
                        (more == 3 && (code < 0x10000 || code > 0x10FFFF));
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  return overlong || surrogate ? replacement : code;
}

void append_escape(std::string& out, std::uint32_t unit) {
  char text[16]; // six, but the compiler cannot know
  std::snprintf(text, sizeof text, "\\u%04x", unit);
  out += text;
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto code = take_code_point(text);
    switch (code) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (code >= 0x20 && code < 0x7F) {
        out += static_cast<char>(code);
      } else if (code < 0x10000) {
        append_escape(out, code);
      } else {
        append_escape(out, 0xD800 + ((code - 0x10000) >> 10U));
        append_escape(out, 0xDC00 + ((code - 0x10000) & 0x3FFU));
      }
    }
  }
  out += '"';
}

void json_writer::separate() {
  if (need_comma_)
    out_ += ',';
  need_comma_ = true;
}

json_writer& json_writer::begin_object() {
  separate();
  out_ += '{';
  need_comma_ = false;
  return *this;
}

json_writer& json_writer::end_object() {
  out_ += '}';
  need_comma_ = true;
  return *this;
}

json_writer& json_writer::begin_array() {
  separate();
  out_ += '[';
  need_comma_ = false;
  return *this;
}

json_writer& json_writer::end_array() {
  out_ += ']';
  need_comma_ = true;
  return *this;
}

json_writer& json_writer::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  need_comma_ = false;
  return *this;
}

json_writer& json_writer::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

json_writer& json_writer::value(std::int64_t number) {
  separate();
  out_ += std::to_string(number);
  return *this;
}

json_writer& json_writer::value(std::uint64_t number) {
  separate();
  out_ += std::to_string(number);
  return *this;
}

json_writer& json_writer::value(bool yes) {
  separate();
  out_ += yes ? "true" : "false";
  return *this;
}

json_writer& json_writer::null() {
  separate();
  out_ += "null";
  return *this;
}

json_writer& json_writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

} // namespace troupe::core
