// SPDX-License-Identifier: Apache-2.0
#include "core/grant_set.hpp"

#include "core/topic_coverage.hpp"

#include <algorithm>
#include <utility>

namespace troupe::core {

grant_set::grant_set(std::span<const grant> grants,
                     const grant_subject& subject) {
  for (const auto& each : grants) {
    auto filter = each.expand(subject);
    if (!filter)
      continue;
    auto& to = by_right_[static_cast<std::size_t>(each.what) - 1];
    if (to.index.add(*filter).second)
      to.all.push_back(std::move(*filter));
  }
}

const std::string* grant_set::find(right what, const topic& name) const {
  const auto& granted = of(what);
  if (granted.all.empty())
    return nullptr;
  // One is enough; the vector is kept between questions of a thread.
  thread_local std::vector<topic_filter_index::place> places;
  places.clear();
  granted.index.match(name, places);
  return places.empty() ? nullptr : granted.index.at(places.front());
}

const std::string* grant_set::find(right what,
                                   const topic_filter& wanted) const {
  const auto& granted = of(what);
  if (const auto same = granted.index.find(wanted.text()))
    return granted.index.at(*same);
  const auto found =
      std::find_if(granted.all.begin(), granted.all.end(),
                   [&](const auto& each) { return covers(each, wanted); });
  return found == granted.all.end() ? nullptr : &found->text();
}

std::size_t grant_set::size() const noexcept {
  std::size_t all = 0;
  for (const auto& each : by_right_)
    all += each.all.size();
  return all;
}

} // namespace troupe::core
