// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster_steward.hpp"

#include "cluster/placement.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace troupe::actors {
namespace {

constexpr core::milliseconds look_every{1'000};
/// A newcomer may miss so many entries of the directory and be a member: the
/// rest comes within a moment.
constexpr std::uint64_t lag_max = 100;
/// Nobody who answers is silent for so long.
constexpr core::milliseconds lost_after{5'000};

} // namespace

cluster::placement
wanted_placement(const broker_context& context,
                 const std::vector<core::node_id>& founders) {
  std::vector<cluster::placed_node> nodes;
  context.directory->each_node(
      [&](core::node_id id, const core::node_record& record) {
        nodes.push_back({id, record.state});
        return true;
      });
  const auto groups = context.options.shards + 1U;
  cluster::placement now(groups);
  for (std::size_t g = 0; g < groups; ++g)
    if (auto placed = context.directory->placement(
            core::group_id{static_cast<std::uint16_t>(g)}))
      now[g] = std::move(*placed);
    else if (g == 0)
      now[g] = founders;
  return cluster::desired_placement(nodes, now, groups,
                                    context.options.placement);
}

cluster_steward::cluster_steward(broker_context& context,
                                 std::optional<node_identity> self,
                                 propose_function propose)
    : context_(context), self_(std::move(self)), propose_(std::move(propose)) {}

void cluster_steward::on_tick(const cluster::raft& directory) {
  const auto now = context_.clock.now();
  if (!self_ || now - looked_ < look_every || directory.applied() < proposed_)
    return;
  watch_members(directory, now);
  looked_ = now;
  if (auto command = next_command(directory))
    if (const auto placed = propose_(std::move(*command)))
      proposed_ = *placed;
}

void cluster_steward::watch_members(const cluster::raft& directory,
                                    core::steady_time now) {
  // What an earlier term has seen is too old to judge anybody by.
  if (directory.current_term() !=
      std::exchange(term_, directory.current_term()))
    heard_.clear();
  std::map<core::node_id, core::steady_time> fresh;
  context_.directory->each_node(
      [&](core::node_id id, const core::node_record& record) {
        if (record.state != core::node_state::member)
          return true;
        auto heard = heard_.try_emplace(id, now).first->second;
        if (id == directory.self())
          heard = now;
        else if (const auto* peer = directory.progress_of(id))
          heard = std::max(heard, peer->heard);
        fresh.emplace(id, heard);
        return true;
      });
  heard_ = std::move(fresh);
}

/// A member whose share others shall have: only if they are enough for every
/// group and most of all members, so that not the few take the many for gone.
std::optional<core::node_id>
cluster_steward::gone_for_long(core::node_id self) const {
  if (context_.options.replace_after == core::milliseconds{0})
    return std::nullopt;
  std::size_t here = 0;
  std::optional<core::node_id> gone;
  for (const auto& [node, heard] : heard_) {
    if (looked_ - heard <= lost_after)
      ++here;
    else if (looked_ - heard >= context_.options.replace_after &&
             node != self && (!gone || heard < heard_.at(*gone)))
      gone = node;
  }
  const auto enough = here >= context_.options.placement.shard_replicas &&
                      2 * here > heard_.size();
  return enough ? gone : std::nullopt;
}

std::optional<core::cluster_command>
cluster_steward::next_command(const cluster::raft& directory) const {
  bool founded = false;
  std::optional<core::node_id> newcomer;
  context_.directory->each_node(
      [&](core::node_id id, const core::node_record& record) {
        founded = true;
        const bool waits = record.state == core::node_state::joining ||
                           record.state == core::node_state::absent;
        if (waits && directory.is_near(id, lag_max))
          newcomer = id;
        return true;
      });
  if (!founded)
    return core::admit_node{self_->token, self_->name, self_->address,
                            self_->incarnation, self_->id};
  if (newcomer)
    return core::set_node_state{*newcomer, core::node_state::member};
  if (const auto gone = gone_for_long(directory.self())) {
    context_.log("warn", "cluster",
                 "node " + std::to_string(gone->value()) +
                     " has been gone for longer than cluster.replace_after: "
                     "its share goes to other nodes until it is back");
    context_.stats.nodes_replaced.fetch_add(1, std::memory_order_relaxed);
    return core::set_node_state{*gone, core::node_state::absent};
  }

  const auto wanted = wanted_placement(context_, directory.members().voters);
  core::set_placement change;
  for (std::size_t g = 0; g < wanted.size(); ++g) {
    const core::group_id group{static_cast<std::uint16_t>(g)};
    if (context_.directory->placement(group) != wanted[g])
      change.groups.push_back({group, wanted[g]});
  }
  if (change.groups.empty())
    return std::nullopt;
  return change;
}

} // namespace troupe::actors
