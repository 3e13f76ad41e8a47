// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/json_members.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>

#include <charconv>

namespace troupe::net::zenconn {
namespace {

namespace json = boost::json;

/// Hears everything and keeps nothing.
struct deaf {
  static constexpr auto max_object_size = static_cast<std::size_t>(-1);
  static constexpr auto max_array_size = static_cast<std::size_t>(-1);
  static constexpr auto max_key_size = static_cast<std::size_t>(-1);
  static constexpr auto max_string_size = static_cast<std::size_t>(-1);

  using text = json::string_view;
  using failure = json::error_code;

  bool on_document_begin(failure&) { return true; }
  bool on_document_end(failure&) { return true; }
  bool on_object_begin(failure&) { return true; }
  bool on_object_end(std::size_t, failure&) { return true; }
  bool on_array_begin(failure&) { return true; }
  bool on_array_end(std::size_t, failure&) { return true; }
  bool on_key_part(text, std::size_t, failure&) { return true; }
  bool on_key(text, std::size_t, failure&) { return true; }
  bool on_string_part(text, std::size_t, failure&) { return true; }
  bool on_string(text, std::size_t, failure&) { return true; }
  bool on_number_part(text, failure&) { return true; }
  bool on_int64(std::int64_t, text, failure&) { return true; }
  bool on_uint64(std::uint64_t, text, failure&) { return true; }
  bool on_double(double, text, failure&) { return true; }
  bool on_bool(bool, failure&) { return true; }
  bool on_null(failure&) { return true; }
  bool on_comment_part(text, failure&) { return true; }
  bool on_comment(text, failure&) { return true; }
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

/// Walks over the insides of an object or array that is known to be sound.
class walker {
public:
  explicit walker(std::string_view inside) : rest_(inside) {}

  [[nodiscard]] bool done() {
    rest_ = trim(rest_);
    return rest_.empty();
  }
  /// Up to `end` on this level, which is passed over.
  std::string_view until(char end) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (in_string) {
        if (c == '\\')
          ++i;
        else if (c == '"')
          in_string = false;
      } else if (c == '"') {
        in_string = true;
      } else if (depth == 0 && c == end) {
        const auto found = rest_.substr(0, i);
        rest_.remove_prefix(i + 1);
        return trim(found);
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        --depth;
      }
    }
    const auto found = rest_;
    rest_ = {};
    return trim(found);
  }

private:
  std::string_view rest_;
};

/// What stands between the brackets.
std::optional<std::string_view> inside(std::string_view text, char open) {
  text = trim(text);
  if (!text.starts_with(open) || !is_json(text))
    return std::nullopt;
  return text.substr(1, text.size() - 2);
}

} // namespace

bool is_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = json_depth_max;
  json::basic_parser<deaf> parser(options);
  json::error_code failed;
  const auto used = parser.write_some(false, text.data(), text.size(), failed);
  return !failed && used == text.size() && parser.done();
}

std::optional<std::vector<json_member>> read_members(std::string_view text) {
  const auto content = inside(text, '{');
  if (!content)
    return std::nullopt;
  std::vector<json_member> found;
  for (walker at{*content}; !at.done();) {
    auto name = read_string(at.until(':'));
    found.push_back({std::move(*name), at.until(',')});
  }
  return found;
}

std::optional<std::vector<std::string_view>>
read_elements(std::string_view text) {
  const auto content = inside(text, '[');
  if (!content)
    return std::nullopt;
  std::vector<std::string_view> found;
  for (walker at{*content}; !at.done();)
    found.push_back(at.until(','));
  return found;
}

std::optional<std::string> read_string(std::string_view text) {
  if (!text.starts_with('"'))
    return std::nullopt;
  if (text.find('\\') == std::string_view::npos)
    return std::string{text.substr(1, text.size() - 2)};
  json::error_code failed;
  const auto value = json::parse({text.data(), text.size()}, failed);
  if (failed || !value.is_string())
    return std::nullopt;
  return std::string{value.get_string().c_str(), value.get_string().size()};
}

std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || at != end)
    return std::nullopt;
  return value;
}

std::string without_blanks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      out.push_back(c);
      out.push_back(text[++i]);
      continue;
    }
    if (c == '"')
      in_string = !in_string;
    if (in_string || !is_blank(c))
      out.push_back(c);
  }
  return out;
}

} // namespace troupe::net::zenconn
