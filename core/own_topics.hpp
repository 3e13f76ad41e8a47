// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace troupe::core {

/// First level of topics by which the nodes talk among themselves about what
/// their clients do. What is under it is in no list and in no count that is
/// made for people: it is not theirs. As of every level that begins with `$`,
/// no wildcard reaches it.
inline constexpr std::string_view own_level = "$troupe";

/// Of the text of a topic or a filter.
[[nodiscard]] constexpr bool is_own_topic(std::string_view text) noexcept {
  return text.starts_with(own_level) &&
         (text.size() == own_level.size() || text[own_level.size()] == '/');
}

} // namespace troupe::core
