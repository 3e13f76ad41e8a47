// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`:
/// the optimal string alignment form of the Damerau-Levenshtein distance.
/// Upper and lower case count as equal. Takes |a|·|b| steps.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate a person most likely meant, or "" if none is close: at most
/// a third of the word's letters may be wrong. The first of several wins.
[[nodiscard]] std::string_view
closest(std::string_view word, const std::vector<std::string_view>& candidates);

/// "; did you mean 'x'?" or "", to be put behind a message.
[[nodiscard]] std::string
did_you_mean(std::string_view word,
             const std::vector<std::string_view>& candidates);

} // namespace troupe::app
