// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/topic_spelling.hpp"

#include "net/ws/utf8.hpp"

#include <vector>

namespace troupe::net::mqtt {
namespace {

constexpr std::string_view share_prefix = "$share/";

core::error invalid(std::string_view clause, std::string_view why) {
  std::string text{"["};
  text += clause;
  text += "] ";
  text += why;
  return {core::errc::name_invalid, std::move(text)};
}

bool is_in_a_name(char c) {
  return c != '/' && c != '+' && c != '#' && c != '\0';
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += digits[byte / 16U];
  out += digits[byte % 16U];
}

bool is_utf8(std::string_view bytes) {
  return ws::is_utf8(core::as_bytes(bytes));
}

/// A level as part of a topic name.
void append_name(std::string& out, std::string_view level) {
  // All or nothing, so that what is escaped does not depend on where a broken
  // sequence is thought to end.
  const bool is_text = is_utf8(level);
  for (const char c : level) {
    const bool is_ascii = static_cast<unsigned char>(c) < 0x80;
    if (is_in_a_name(c) && (is_text || is_ascii))
      out += c;
    else
      append_escaped(out, c);
  }
}

core::result<core::topic_filter>
parse_plain_filter(std::string_view text, const core::topic_limits& limits) {
  if (text.empty())
    return invalid("MQTT-4.7.3-1", "an empty topic filter");
  if (auto fits = core::check_topic_text(text, limits); !fits)
    return fits.error();
  core::topic_filter_builder builder;
  for (core::level_reader in{text}; !in.done();) {
    const auto level = in.next();
    if (level == "#") {
      if (!in.done())
        return invalid("MQTT-4.7.1-1", "# before the end of a topic filter");
      builder.any_levels();
    } else if (level == "+") {
      builder.any_level();
    } else if (level.find('#') != std::string_view::npos) {
      return invalid("MQTT-4.7.1-1", "# inside of a level");
    } else if (level.find('+') != std::string_view::npos) {
      return invalid("MQTT-4.7.1-2", "+ inside of a level");
    } else {
      builder.level(level);
    }
  }
  return builder.build(limits);
}

} // namespace

core::result<core::topic> parse_topic(std::string_view name,
                                      const core::topic_limits& limits) {
  if (name.empty())
    return invalid("MQTT-4.7.3-1", "an empty topic name");
  if (name.find_first_of("+#") != std::string_view::npos)
    return invalid("MQTT-3.3.2-2", "a wildcard in a topic name");
  if (auto fits = core::check_topic_text(name, limits); !fits)
    return fits.error();
  // Without these the broker's own spelling is the same, as a rule.
  if (name.find_first_of("%*\x7F") == std::string_view::npos)
    if (auto same = core::topic::parse(name, limits))
      return same;
  std::vector<std::string_view> levels;
  for (core::level_reader in{name}; !in.done();)
    levels.push_back(in.next());
  return core::topic::of(levels, limits);
}

core::result<parsed_filter> parse_filter(std::string_view text,
                                         const core::topic_limits& limits) {
  parsed_filter result;
  if (text == "$share" || text.starts_with(share_prefix)) {
    if (text.size() > share_prefix.size())
      text.remove_prefix(share_prefix.size());
    else
      text = {};
    const auto end = text.find('/');
    result.share = text.substr(0, end);
    if (result.share.empty())
      return invalid("MQTT-4.8.2-1", "a shared subscription without a name");
    if (result.share.find_first_of("+#") != std::string_view::npos)
      return invalid("MQTT-4.8.2-2", "a wildcard in the name of a share");
    if (end == std::string_view::npos || end + 1 == text.size())
      return invalid("MQTT-4.8.2-2", "a shared subscription without a filter");
    text.remove_prefix(end + 1);
  }
  auto filter = parse_plain_filter(text, limits);
  if (!filter)
    return filter.error();
  result.filter = std::move(*filter);
  return result;
}

std::string name_of(const core::topic& which) {
  const auto& text = which.text();
  if (text.find('%') == std::string::npos && is_utf8(text))
    return text;
  std::string name;
  bool first = true;
  for (const auto& level : which.levels()) {
    if (!first)
      name += '/';
    append_name(name, level);
    first = false;
  }
  return name;
}

} // namespace troupe::net::mqtt
