// SPDX-License-Identifier: Apache-2.0
// What people are shown of an interest board.
#include "cluster/interest_board.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace troupe::cluster {

interest_board::row interest_board::row_of(const realm_space& space,
                                           index::place place) const {
  const auto& each = space.entries[place];
  row one{space.realm, *space.filters.at(place), space.share, each.held(), {}};
  for (const auto& [number, count] : each.tables)
    // A peer has two tables while one replaces the other.
    if (const auto& table = tables_[number];
        table.in_use && std::find(one.peers.begin(), one.peers.end(),
                                  table.peer) == one.peers.end())
      one.peers.push_back(table.peer);
  return one;
}

std::vector<std::pair<filter_id, interest_board::row>>
interest_board::matching(std::string_view realm,
                         const core::topic& name) const {
  std::vector<std::pair<filter_id, row>> found;
  std::vector<index::place> places;
  const std::shared_lock lock{mutex_};
  const auto* where = find_space(realm, {});
  if (where == nullptr)
    return found;
  where->filters.match(name, places);
  for (const auto place : places)
    if (auto one = row_of(*where, place); one.held > 0 || !one.peers.empty())
      found.emplace_back(where->entries[place].id, std::move(one));
  return found;
}

} // namespace troupe::cluster
