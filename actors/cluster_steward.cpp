// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster_steward.hpp"

#include "cluster/placement.hpp"

#include <utility>
#include <vector>

namespace troupe::actors {
namespace {

constexpr core::milliseconds look_every{1'000};
/// A newcomer may miss so many entries of the directory and be a member: the
/// rest comes within a moment.
constexpr std::uint64_t lag_max = 100;

} // namespace

cluster_steward::cluster_steward(broker_context& context,
                                 std::optional<node_identity> self,
                                 propose_function propose)
    : context_(context), self_(std::move(self)), propose_(std::move(propose)) {}

void cluster_steward::on_tick(const cluster::raft& directory) {
  const auto now = context_.clock.now();
  if (!self_ || now - looked_ < look_every || directory.applied() < proposed_)
    return;
  looked_ = now;
  if (auto command = next_command(directory))
    if (const auto placed = propose_(std::move(*command)))
      proposed_ = *placed;
}

std::optional<core::cluster_command>
cluster_steward::next_command(const cluster::raft& directory) const {
  std::vector<cluster::placed_node> nodes;
  std::optional<core::node_id> newcomer;
  context_.directory->each_node(
      [&](core::node_id id, const core::node_record& record) {
        nodes.push_back({id, record.state});
        if (record.state == core::node_state::joining &&
            directory.is_near(id, lag_max))
          newcomer = id;
        return true;
      });
  if (nodes.empty())
    return core::admit_node{self_->token, self_->name, self_->address,
                            self_->incarnation, self_->id};
  if (newcomer)
    return core::set_node_state{*newcomer, core::node_state::member};

  const auto groups = context_.options.shards + 1U;
  cluster::placement now(groups);
  for (std::size_t g = 0; g < groups; ++g)
    if (auto placed = context_.directory->placement(
            core::group_id{static_cast<std::uint16_t>(g)}))
      now[g] = std::move(*placed);
    else if (g == 0)
      now[g] = directory.members().voters;
  const auto wanted = cluster::desired_placement(nodes, now, groups,
                                                 context_.options.placement);
  core::set_placement change;
  for (std::size_t g = 0; g < groups; ++g) {
    const core::group_id group{static_cast<std::uint16_t>(g)};
    if (context_.directory->placement(group) != wanted[g])
      change.groups.push_back({group, wanted[g]});
  }
  if (change.groups.empty())
    return std::nullopt;
  return change;
}

} // namespace troupe::actors
