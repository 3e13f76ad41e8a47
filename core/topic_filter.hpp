// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/topic.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::core {

/// Which topics a subscriber wants. Spelled as a topic whose levels may also
/// be wildcards:
///
///   a/b     that topic alone
///   a/+/c   any one level
///   a/#     any number of levels, none included: also a itself. At most once
///           in a filter, anywhere: #/c, a/#/c
///   a/bc*   only at the end, and without a #: a level that begins with bc,
///           and whatever follows; a/* is everything below a but a itself
///
/// Topics whose first level begins with '$' are the broker's: a wildcard in
/// the first level passes them over, for every protocol.
class topic_filter {
public:
  /// Matches the topic of one empty level.
  topic_filter() = default;
  /// That topic alone.
  explicit topic_filter(const topic& only) : text_(only.text()) {}

  /// name_invalid, too_large.
  static result<topic_filter> parse(std::string_view text,
                                    const topic_limits& limits = {});

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Without a wildcard.
  [[nodiscard]] bool is_exact() const noexcept {
    return text_.find_first_of("+#*") == std::string::npos;
  }
  /// Slower than a look into a topic_filter_index.
  [[nodiscard]] bool matches(const topic& name) const;

  friend bool operator==(const topic_filter&, const topic_filter&) = default;

private:
  friend class topic_filter_builder;
  explicit topic_filter(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

/// Makes a filter of what a protocol calls it, level by level.
///
///   topic_filter_builder{}.level("a").any_level().build()   // a/+
class topic_filter_builder {
public:
  topic_filter_builder& level(std::string_view bytes);
  topic_filter_builder& any_level() { return part("+"); }
  topic_filter_builder& any_levels() { return part("#"); }
  /// The last part: a level that begins so, and all that follows.
  topic_filter_builder& begins_with(std::string_view bytes);

  /// name_invalid, too_large.
  [[nodiscard]] result<topic_filter>
  build(const topic_limits& limits = {}) const;

private:
  topic_filter_builder& part(std::string_view text);

  std::string text_;
  bool any_ = false;
};

/// What one piece of a filter's text means.
enum class filter_part : std::uint8_t { level, any_level, any_levels, prefix };
[[nodiscard]] inline filter_part part_of(std::string_view text) noexcept {
  if (text == "+")
    return filter_part::any_level;
  if (text == "#")
    return filter_part::any_levels;
  return text.ends_with('*') ? filter_part::prefix : filter_part::level;
}

/// Whether a wildcard in the first level passes a topic over.
[[nodiscard]] inline bool is_reserved(std::string_view topic_text) noexcept {
  return topic_text.starts_with('$');
}

} // namespace troupe::core
