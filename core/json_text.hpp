// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::core {

/// Appends `text` as a JSON string with its quotes, in pure ASCII: everything
/// outside of it becomes \uXXXX (RFC 8259, 7), and bytes that are not UTF-8
/// become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Writes one JSON object or array, member by member, into a string; for the
/// few documents the broker itself makes (event bodies, debug state). Keys
/// must be plain ASCII.
class json_writer {
public:
  json_writer& begin_object();
  json_writer& end_object();
  json_writer& begin_array();
  json_writer& end_array();
  json_writer& key(std::string_view name);
  json_writer& value(std::string_view text);
  json_writer& value(const char* text) { return value(std::string_view{text}); }
  json_writer& value(std::int64_t number);
  json_writer& value(std::uint64_t number);
  json_writer& value(std::uint32_t number) {
    return value(static_cast<std::uint64_t>(number));
  }
  json_writer& value(bool yes);
  json_writer& null();
  /// A finished JSON text.
  json_writer& raw(std::string_view json);
  template <class T>
  json_writer& member(std::string_view name, const T& v) {
    return key(name).value(v);
  }

  [[nodiscard]] const std::string& text() const& { return out_; }
  [[nodiscard]] std::string text() && { return std::move(out_); }

private:
  void separate();

  std::string out_;
  bool need_comma_ = false;
};

} // namespace troupe::core
