// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/configuration.hpp"
#include "core/cluster_command.hpp"
#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

/// Which node shall keep what, and how a group gets there: pure functions, the
/// same answer on every node. The directory's leader computes the placement
/// and has it agreed upon; each group's leader takes its group there, one
/// change at a time.
namespace troupe::cluster {

struct placement_rules {
  /// Voters of a data shard, if there are as many members.
  std::size_t shard_replicas = 3;
  /// Voters of the directory group; all other nodes are learners of it.
  std::size_t directory_voters = 5;
};

struct placed_node {
  core::node_id id;
  core::node_state state = core::node_state::member;
};

/// [g] are the nodes of group g in order: the first shall lead. 0 is the
/// directory.
using placement = std::vector<std::vector<core::node_id>>;

/// Every shard on min(members, shard_replicas) members; replicas and leaders
/// spread so that no two members differ by more than one; as few replicas
/// moved as that takes. The directory is on all nodes that are not removed:
/// members first, as many of them voters as the rules say. `now` may be shorter
/// than `groups` and name nodes that are gone. Without any member the shards
/// stay where they are. REQUIRES: `nodes` ascends by id.
[[nodiscard]] placement desired_placement(const std::vector<placed_node>& nodes,
                                          const placement& now,
                                          std::size_t groups,
                                          const placement_rules& rules);

/// What a configuration shall become; voters in order of preference as leader.
struct group_wish {
  std::vector<core::node_id> voters;
  std::vector<core::node_id> learners;

  friend bool operator==(const group_wish&, const group_wish&) = default;
};

/// What the replicas of a group are for. `state_of` tells of any node.
[[nodiscard]] group_wish
wish_of(core::group_id group, const std::vector<core::node_id>& replicas,
        const std::function<core::node_state(core::node_id)>& state_of,
        const placement_rules& rules);

enum class step_kind : std::uint8_t {
  none,        ///< wait, or nothing to do
  add_learner, ///< a node that is not in the group
  promote,     ///< a learner that has caught up
  demote,      ///< a voter that shall be a learner
  remove,      ///< a member that shall be none
  transfer,    ///< lead no more; `node` shall
};

struct group_step {
  step_kind kind = step_kind::none;
  core::node_id node;

  friend bool operator==(const group_step&, const group_step&) = default;
};

/// The next change on the way from `now`, led by `leader`, to `wish`. Learners
/// come first; voters are promoted as soon as they have caught up, from a lone
/// one on all at once; only then others go. So there are never fewer voters
/// than in the beginning, unless `wish` has fewer. Two voters (of three nodes
/// one was drained) stay two until the third has caught up: no step makes that
/// shorter, and with one the other's copy would not count. At last the
/// preferred leader gets the group. `caught_up` tells of any member, of others
/// it says no; `may_add` puts off a node that has enough to get already.
[[nodiscard]] group_step next_step(
    const configuration& now, core::node_id leader, const group_wish& wish,
    const std::function<bool(core::node_id)>& caught_up,
    const std::function<bool(core::node_id)>& may_add = [](core::node_id) {
      return true;
    });

} // namespace troupe::cluster
