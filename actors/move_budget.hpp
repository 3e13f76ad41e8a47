// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <cstddef>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace troupe::actors {

/// How many groups led here may bring one and the same node up to date at a
/// time, so that a newcomer's disk and link are not asked for everything at
/// once. Owned by the broker's context, used by the groups' stewards on any
/// thread.
class move_budget {
public:
  explicit move_budget(std::size_t moves_max) : moves_max_(moves_max) {}

  /// A place for the group's move to the node; true if it has one already.
  [[nodiscard]] bool take(core::group_id group, core::node_id to) {
    const std::lock_guard lock{mutex_};
    std::size_t taken = 0;
    for (const auto& [node, holder] : taken_) {
      if (node == to && holder == group)
        return true;
      taken += node == to ? 1U : 0U;
    }
    if (taken >= moves_max_)
      return false;
    taken_.emplace(to, group);
    return true;
  }

  /// These moves of the group go on; the places of others are free.
  void keep(core::group_id group, const std::vector<core::node_id>& nodes) {
    const std::lock_guard lock{mutex_};
    std::erase_if(taken_,
                  [&](const auto& each) { return each.second == group; });
    for (const auto node : nodes)
      taken_.emplace(node, group);
  }

  [[nodiscard]] std::size_t under_way() const {
    const std::lock_guard lock{mutex_};
    return taken_.size();
  }

private:
  const std::size_t moves_max_;
  mutable std::mutex mutex_;
  std::set<std::pair<core::node_id, core::group_id>> taken_;
};

} // namespace troupe::actors
