// SPDX-License-Identifier: Apache-2.0
#include "core/topic_filter.hpp"

#include <vector>

namespace troupe::core {
namespace {

error invalid(std::string why) { return {errc::name_invalid, std::move(why)}; }

using pieces = std::vector<std::string_view>;

pieces split(std::string_view text) {
  pieces all;
  for (level_reader in{text}; !in.done();)
    all.push_back(in.next());
  return all;
}

bool one_level(std::string_view part, std::string_view level) {
  return part_of(part) == filter_part::any_level || part == level;
}

/// The parts from `i` on against the last levels, as many as there are parts.
bool tail_matches(const pieces& parts, std::size_t i, const pieces& levels) {
  const auto count = parts.size() - i;
  for (std::size_t k = 0; k < count; ++k)
    if (!one_level(parts[i + k], levels[levels.size() - count + k]))
      return false;
  return true;
}

} // namespace

result<topic_filter> topic_filter::parse(std::string_view text,
                                         const topic_limits& limits) {
  if (auto fits = check_topic_text(text, limits); !fits)
    return fits.error();
  bool any = false;
  for (level_reader in{text}; !in.done();) {
    const auto part = in.next();
    switch (part_of(part)) {
    case filter_part::any_level:
      break;
    case filter_part::any_levels:
      if (any)
        return invalid("a topic filter with more than one #");
      any = true;
      break;
    case filter_part::prefix:
      if (!in.done() || any)
        return invalid("* is only for the end of a topic filter without #");
      if (!is_level(part.substr(0, part.size() - 1)))
        return invalid("a level of a topic filter can't be read");
      break;
    case filter_part::level:
      if (!is_level(part))
        return invalid("a level of a topic filter can't be read");
      break;
    }
  }
  return topic_filter{std::string{text}};
}

bool topic_filter::matches(const topic& name) const {
  const auto parts = split(text_);
  if (is_reserved(name.text())) {
    const auto first = part_of(parts.front());
    if (first == filter_part::any_level || first == filter_part::any_levels ||
        parts.front() == "*")
      return false;
  }
  const auto levels = split(name.text());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    switch (part_of(parts[i])) {
    case filter_part::any_levels:
      // What is left of the parts is for as many levels at the end.
      return levels.size() - i + 1 >= parts.size() - i &&
             tail_matches(parts, i + 1, levels);
    case filter_part::prefix:
      return i < levels.size() &&
             levels[i].starts_with(parts[i].substr(0, parts[i].size() - 1));
    case filter_part::level:
    case filter_part::any_level:
      if (i >= levels.size() || !one_level(parts[i], levels[i]))
        return false;
    }
  }
  return parts.size() == levels.size();
}

topic_filter_builder& topic_filter_builder::level(std::string_view bytes) {
  std::string text;
  append_level(text, bytes);
  return part(text);
}

topic_filter_builder&
topic_filter_builder::begins_with(std::string_view bytes) {
  std::string text;
  append_level(text, bytes);
  text += '*';
  return part(text);
}

topic_filter_builder& topic_filter_builder::part(std::string_view text) {
  if (any_)
    text_ += '/';
  any_ = true;
  text_ += text;
  return *this;
}

result<topic_filter>
topic_filter_builder::build(const topic_limits& limits) const {
  if (!any_)
    return invalid("a topic filter without a level");
  return topic_filter::parse(text_, limits);
}

} // namespace troupe::core
