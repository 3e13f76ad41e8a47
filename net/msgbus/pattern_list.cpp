// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/pattern_list.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net::msgbus {

bool matches_pattern(std::string_view text, std::string_view pattern) noexcept {
  std::size_t t = 0;
  std::size_t p = 0;
  // Where to go on when what follows the last '*' does not fit: that takes
  // one byte more. Earlier ones need no second try.
  auto star = std::string_view::npos;
  std::size_t taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() &&
               (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

pattern_list::pattern_list(std::string text)
    : text_(std::move(text)), all_(text_ == "*") {
  if (all_)
    return;
  std::size_t at = 0;
  while (at < text_.size()) {
    const auto end = std::min(text_.find(',', at), text_.size());
    const bool negated = text_[at] == '!';
    const auto begin = at + (negated ? 1U : 0U);
    if (end - begin >= pattern_bytes_max) {
      patterns_.clear();
      return;
    }
    patterns_.push_back({begin, end - begin, negated});
    at = end + 1;
  }
}

bool pattern_list::passes(std::string_view text) const noexcept {
  bool found = all_;
  for (const auto& [at, size, negated] : patterns_) {
    if (found && !negated)
      continue;
    if (!matches_pattern(text, std::string_view{text_}.substr(at, size)))
      continue;
    if (negated)
      return false;
    found = true;
  }
  return found;
}

} // namespace troupe::net::msgbus
