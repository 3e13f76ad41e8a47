// SPDX-License-Identifier: Apache-2.0
#include "actors/group_steward.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace troupe::actors {
namespace {

/// A follower with no more than this to get is taken for one that has all.
constexpr std::uint64_t lag_max = 1000;

/// The directory is asked where the group shall be a few times a second.
constexpr core::milliseconds look_every{190};

/// One node notices a lost link before another one does.
constexpr core::milliseconds reach_patience{5'000};

void count(broker_stats::counter& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

} // namespace

group_steward::group_steward(core::group_id group, broker_context& context,
                             replica& replicated,
                             const group_transport* transport)
    : group_(group), context_(context), replica_(replicated),
      transport_(transport) {}

bool group_steward::caught_up(core::node_id node) const {
  return replica_.consensus().is_near(node, lag_max) &&
         (node == replica_.consensus().self() ||
          (transport_ != nullptr && transport_->reaches(node)));
}

bool group_steward::may_win(core::node_id node) const {
  return context_.reach.may_win(node, replica_.consensus().members().voters,
                                context_.clock.now());
}

void group_steward::watch_followers() {
  const auto now = context_.clock.now();
  const auto& members = replica_.consensus().members();
  for (const auto* list : {&members.voters, &members.learners})
    for (const auto node : *list) {
      if (caught_up(node))
        steady_since_.try_emplace(node, now);
      else
        steady_since_.erase(node);
    }
  std::erase_if(steady_since_, [&](const auto& entry) {
    return !members.contains(entry.first);
  });
}

/// A move takes its place until the newcomer has caught up.
void group_steward::watch_moves(const cluster::group_wish& wish) {
  if (!moving_)
    return;
  std::vector<core::node_id> under_way;
  for (const auto node : wish.voters)
    if (replica_.consensus().members().is_learner(node) && !caught_up(node))
      under_way.push_back(node);
  context_.moves.keep(group_, under_way);
  moving_ = !under_way.empty();
}

void group_steward::on_tick() {
  const auto now = context_.clock.now();
  if (now - looked_ < look_every)
    return;
  looked_ = now;
  const auto& core = replica_.consensus();
  if (!core.leads()) {
    steady_since_.clear();
    surpassed_since_.reset();
    watch_moves({});
    return;
  }
  if (!core.established() || context_.directory == nullptr)
    return;
  watch_followers();
  const auto placed = context_.directory->placement(group_);
  if (!placed)
    return;
  const auto wish = cluster::wish_of(
      group_, *placed,
      [&](core::node_id node) {
        const auto record = context_.directory->find_node(node);
        return record ? record->state : core::node_state::removed;
      },
      context_.options.placement);
  watch_moves(wish);
  if (gives_way(wish))
    return;
  const auto step = cluster::next_step(
      core.members(), core.self(), wish,
      [&](core::node_id node) { return caught_up(node); },
      [&](core::node_id node) {
        // The directory is on all nodes, and small.
        if (group_ == core::directory_group)
          return true;
        moving_ = true;
        return context_.moves.take(group_, node);
      });
  const bool rightly = std::find(wish.voters.begin(), wish.voters.end(),
                                 core.self()) != wish.voters.end();
  carry_out(step, rightly);
}

void group_steward::carry_out(const cluster::group_step& step,
                              bool leads_rightly) {
  auto& core = replica_.consensus();
  core::result<core::log_index> done = core::errc::unavailable;
  switch (step.kind) {
  case cluster::step_kind::none:
    return;
  case cluster::step_kind::add_learner:
    done = core.add_learner(step.node);
    break;
  case cluster::step_kind::promote:
    done = core.promote(step.node);
    break;
  case cluster::step_kind::demote: {
    auto members = core.members();
    members.erase(step.node);
    members.learners.push_back(step.node);
    done = core.propose_configuration(members);
    break;
  }
  case cluster::step_kind::remove:
    done = core.remove(step.node);
    break;
  case cluster::step_kind::transfer:
    if (leads_rightly)
      prefer(step.node);
    else if (!may_win(step.node))
      (void)hand_over(); // to any that may, rather than stay
    else if (core.transfer(step.node))
      count(context_.stats.leaderships_given);
    return;
  }
  // Otherwise the last change is still under way; the next tick tries again.
  if (done)
    count(context_.stats.member_changes);
}

/// Nothing is wrong, it only could be better: seldom, and to nobody who has
/// just come.
void group_steward::prefer(core::node_id node) {
  const auto now = context_.clock.now();
  const auto steady = steady_since_.find(node);
  if (steady == steady_since_.end() || !may_win(node) ||
      context_.reach.serves_less(node, now))
    return;
  const bool at_once = context_.balances_leaders_now(now);
  if (!at_once &&
      (now - steady->second < context_.options.leader_steady_after ||
       !context_.may_balance_leaders(now)))
    return;
  if (replica_.consensus().transfer(node))
    count(context_.stats.leaderships_given);
}

/// A node that can't reach this one could use nothing that is led here, though
/// others reach both: then one of those leads.
bool group_steward::gives_way(const cluster::group_wish& wish) {
  const auto now = context_.clock.now();
  auto& core = replica_.consensus();
  std::vector<core::node_id> able;
  for (const auto node : wish.voters)
    if (node != core.self() && core.members().is_voter(node) && caught_up(node))
      able.push_back(node);
  const auto better =
      context_.reach.serves_most(able, core.members().voters, now);
  if (!better) {
    surpassed_since_.reset();
    return false;
  }
  if (!surpassed_since_)
    surpassed_since_ = now;
  if (now - *surpassed_since_ < reach_patience || !core.transfer(*better))
    return false;
  count(context_.stats.leaderships_given);
  return true;
}

bool group_steward::hand_over() {
  auto& core = replica_.consensus();
  std::optional<core::node_id> best;
  core::log_index furthest;
  for (const auto node : core.members().voters) {
    const auto* peer = core.progress_of(node);
    if (peer == nullptr || !caught_up(node) || !may_win(node))
      continue;
    if (!best || peer->match > furthest) {
      best = node;
      furthest = peer->match;
    }
  }
  if (!best || !core.transfer(*best))
    return false;
  count(context_.stats.leaderships_given);
  return true;
}

} // namespace troupe::actors
