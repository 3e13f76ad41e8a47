// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/channel_name.hpp"

#include <vector>

namespace troupe::net::msgbus {
namespace {

constexpr char mark = '\x01';

bool needs_mark(std::string_view level) {
  return !level.empty() && (level.front() == '$' || level.front() == mark);
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && c != '/' && c != '?';
}

void append_plain(std::string& out, std::string_view level) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : level) {
    if (is_plain(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(digits[byte >> 4U]);
    out.push_back(digits[byte & 15U]);
  }
}

} // namespace

core::result<core::topic> topic_of(std::string_view channel) {
  std::vector<std::string_view> levels;
  for (;;) {
    const auto end = channel.find('/');
    levels.push_back(channel.substr(0, end));
    if (end == std::string_view::npos)
      break;
    channel.remove_prefix(end + 1);
  }
  std::string marked;
  if (needs_mark(levels.front())) {
    marked = mark;
    marked += levels.front();
    levels.front() = marked;
  }
  return core::topic::of(levels);
}

core::result<core::topic_filter> filter_of(std::string_view channel) {
  if (channel.empty())
    return core::topic_filter::parse("#");
  const auto name = topic_of(channel);
  if (!name)
    return name.error();
  return core::topic_filter{*name};
}

std::string channel_of(const core::topic& name) {
  std::string out;
  bool first = true;
  for (const auto& level : name.levels()) {
    std::string_view bytes = level;
    if (!first)
      out.push_back('/');
    else if (bytes.size() > 1 && bytes.front() == mark &&
             needs_mark(bytes.substr(1)))
      bytes.remove_prefix(1);
    append_plain(out, bytes);
    first = false;
  }
  return out;
}

} // namespace troupe::net::msgbus
