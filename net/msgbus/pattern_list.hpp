// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::msgbus {

/// Whether '*' (any bytes) and '?' (one byte) make `text` of `pattern`; case
/// counts. Takes pattern times text at worst.
[[nodiscard]] bool matches_pattern(std::string_view text,
                                   std::string_view pattern) noexcept;

/// A filter of subscribers: patterns with ',' between, '!' in front of one
/// takes out what it matches. Something passes if a pattern without '!' matches
/// and none with it does, in any order.
class pattern_list {
public:
  /// A pattern of so many characters makes the whole list match nothing.
  static constexpr std::size_t pattern_bytes_max = 1023;

  /// Lets everything pass.
  pattern_list() = default;
  explicit pattern_list(std::string text);

  /// No filter at all: "*", or none was given.
  [[nodiscard]] bool passes_all() const noexcept { return all_; }
  [[nodiscard]] bool passes(std::string_view text) const noexcept;
  /// As it was given; "*" without one.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
  struct pattern {
    std::size_t at; ///< in text_
    std::size_t size;
    bool negated;
  };

  std::string text_ = "*";
  std::vector<pattern> patterns_;
  bool all_ = true;
};

} // namespace troupe::net::msgbus
