// SPDX-License-Identifier: Apache-2.0
#include "core/topic_coverage.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace troupe::core {
namespace {

/// A filter's parts, a prefix at the end taken apart: a level that begins so,
/// then any number of levels.
struct step {
  filter_part kind = filter_part::level;
  std::string_view text; ///< of a level, or what it begins with
};

std::vector<step> steps_of(const topic_filter& filter) {
  std::vector<step> steps;
  level_reader reader{filter.text()};
  while (!reader.done()) {
    auto text = reader.next();
    const auto kind = part_of(text);
    if (kind != filter_part::prefix) {
      steps.push_back({kind, text});
      continue;
    }
    text.remove_suffix(1);
    steps.push_back({kind, text});
    steps.push_back({filter_part::any_levels, {}});
  }
  return steps;
}

/// Whether each level that `narrow` stands for is one that `wide` does.
bool covers_level(const step& wide, const step& narrow) {
  switch (wide.kind) {
  case filter_part::level:
    return narrow.kind == filter_part::level && narrow.text == wide.text;
  case filter_part::any_level:
    return narrow.kind != filter_part::any_levels;
  case filter_part::prefix:
    return (narrow.kind == filter_part::level ||
            narrow.kind == filter_part::prefix)
               ? narrow.text.starts_with(wide.text)
               : narrow.kind == filter_part::any_level && wide.text.empty();
  case filter_part::any_levels:
    return false; // not one level
  }
  return false;
}

/// Whether a first part may stand for a level of the broker's own topics, which
/// wildcards pass over: it begins with something that is written out.
bool is_written_out(const step& first) {
  return first.kind == filter_part::level ||
         (first.kind == filter_part::prefix && !first.text.empty());
}

} // namespace

bool covers(const topic_filter& wide, const topic_filter& narrow) {
  const auto a = steps_of(wide);
  const auto b = steps_of(narrow);
  if (is_written_out(b.front()) && is_reserved(b.front().text) &&
      !is_written_out(a.front()))
    return false;
  // covered[j]: the rest of `wide` covers b[j…]; filled from the end.
  std::vector<char> covered(b.size() + 1, 0);
  covered[b.size()] = 1;
  for (auto i = a.size(); i-- > 0;) {
    std::vector<char> here(b.size() + 1, 0);
    const bool many = a[i].kind == filter_part::any_levels;
    here[b.size()] = many ? covered[b.size()] : char{0};
    for (auto j = b.size(); j-- > 0;)
      here[j] = many ? (covered[j] != 0 || here[j + 1] != 0)
                     : (covers_level(a[i], b[j]) && covered[j + 1] != 0);
    covered = std::move(here);
  }
  return covered[0] != 0;
}

} // namespace troupe::core
