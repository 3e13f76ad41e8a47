// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Topics, the names under which messages are published: a list of levels.
///
/// Inside of the broker a topic has one spelling, which no protocol speaks:
/// levels joined by '/', and in a level the bytes that mean something here or
/// to a reader's terminal ('%', '/', '+', '#', '*', below 0x20, 0x7F) written
/// as '%' and two upper-case digits. So two topics are the same exactly if
/// their texts are, a filter without wildcards is spelled as its topic, and
/// whatever bytes a protocol allows in a level fit. Doors make their own
/// spellings of the levels.
namespace troupe::core {

struct topic_limits {
  std::size_t levels_max = 128;
  /// Of the text. Doors bound what they take in their own spelling.
  std::size_t bytes_max = 4096;
};

/// A topic has at least one level; a level may be empty.
class topic {
public:
  /// The topic of one empty level.
  topic() = default;

  /// From the broker's own spelling. name_invalid, too_large.
  static result<topic> parse(std::string_view text,
                             const topic_limits& limits = {});
  /// From levels of any bytes. name_invalid without any, too_large.
  static result<topic> of(std::span<const std::string_view> levels,
                          const topic_limits& limits = {});

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// As they were given to of().
  [[nodiscard]] std::vector<std::string> levels() const;

  friend bool operator==(const topic&, const topic&) = default;

private:
  friend class topic_filter;
  explicit topic(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

/// The pieces of a topic's or a filter's text, one after the other.
class level_reader {
public:
  explicit level_reader(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] bool done() const noexcept { return done_; }
  /// REQUIRES: !done().
  std::string_view next() noexcept {
    const auto end = rest_.find('/');
    const auto level = rest_.substr(0, end);
    if (end == std::string_view::npos)
      done_ = true;
    else
      rest_.remove_prefix(end + 1);
    return level;
  }

private:
  std::string_view rest_;
  bool done_ = false;
};

/// Appends a level as it is spelled in a text.
void append_level(std::string& text, std::string_view level);
/// The other way round. REQUIRES: is_level(text).
[[nodiscard]] std::string plain_level(std::string_view text);
/// Whether append_level() could have written this.
[[nodiscard]] bool is_level(std::string_view text) noexcept;

/// Whether a text keeps to the bounds. too_large.
result<void> check_topic_text(std::string_view text,
                              const topic_limits& limits);

} // namespace troupe::core
