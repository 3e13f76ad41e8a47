// SPDX-License-Identifier: Apache-2.0
#include "cluster/placement.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace troupe::cluster {
namespace {

using nodes = std::vector<core::node_id>;

bool holds(const nodes& all, core::node_id node) {
  return std::find(all.begin(), all.end(), node) != all.end();
}

void put_first(nodes& all, core::node_id node) {
  const auto at = std::find(all.begin(), all.end(), node);
  std::rotate(all.begin(), at, at + 1);
}

/// Distributes the shards over the members.
class distribution {
public:
  distribution(const nodes& members, placement shards, std::size_t replicas)
      : members_(members), shards_(std::move(shards)),
        replicas_(std::min(replicas, members.size())) {
    for (const auto node : members_)
      load_[node] = leads_[node] = 0;
  }

  placement run() {
    keep_members();
    fill();
    balance_replicas();
    balance_leaders();
    return std::move(shards_);
  }

private:
  using counts = std::map<core::node_id, std::size_t>;

  /// Of nodes with equal counts the one with the lowest id: the same on every
  /// node.
  template <class Permitted>
  [[nodiscard]] std::optional<core::node_id>
  least(const counts& of, const Permitted& permitted) const {
    std::optional<core::node_id> best;
    for (const auto& [node, count] : of)
      if (permitted(node) && (!best || count < of.at(*best)))
        best = node;
    return best;
  }
  template <class Permitted>
  [[nodiscard]] std::optional<core::node_id>
  most(const counts& of, const Permitted& permitted) const {
    std::optional<core::node_id> best;
    for (const auto& [node, count] : of)
      if (permitted(node) && (!best || count > of.at(*best)))
        best = node;
    return best;
  }

  void keep_members() {
    for (auto& shard : shards_) {
      std::erase_if(shard,
                    [&](core::node_id n) { return !holds(members_, n); });
      for (const auto node : shard)
        ++load_[node];
    }
    for (auto& shard : shards_)
      while (shard.size() > replicas_) {
        const auto gone =
            most(load_, [&](core::node_id n) { return holds(shard, n); });
        std::erase(shard, *gone);
        --load_[*gone];
      }
  }

  void fill() {
    for (auto& shard : shards_)
      while (shard.size() < replicas_) {
        const auto fresh =
            least(load_, [&](core::node_id n) { return !holds(shard, n); });
        shard.push_back(*fresh);
        ++load_[*fresh];
      }
  }

  void balance_replicas() {
    const auto any = [](core::node_id) { return true; };
    for (;;) {
      const auto from = *most(load_, any);
      const auto to = *least(load_, any);
      if (load_[from] - load_[to] <= 1)
        return;
      // There is one: `from` has more of them than `to`. Where it does not
      // lead, nobody notices.
      nodes* moved = nullptr;
      for (auto& shard : shards_)
        if (holds(shard, from) && !holds(shard, to) &&
            (moved == nullptr || moved->front() == from))
          moved = &shard;
      std::replace(moved->begin(), moved->end(), from, to);
      --load_[from];
      ++load_[to];
    }
  }

  void balance_leaders() {
    for (const auto& shard : shards_)
      ++leads_[shard.front()];
    while (hand_over_one()) {
    }
  }

  /// Looks for a chain of shards along which one leadership gets from a node
  /// with many to one with at least two fewer.
  bool hand_over_one() {
    nodes by_leads = members_;
    std::stable_sort(by_leads.begin(), by_leads.end(),
                     [&](core::node_id a, core::node_id b) {
                       return leads_[a] > leads_[b];
                     });
    return std::any_of(by_leads.begin(), by_leads.end(),
                       [&](core::node_id from) { return hand_over(from); });
  }

  bool hand_over(core::node_id from) {
    struct step {
      core::node_id before;
      nodes* shard;
    };
    std::map<core::node_id, step> reached{{from, {from, nullptr}}};
    std::deque<core::node_id> open{from};
    while (!open.empty()) {
      auto at = open.front();
      open.pop_front();
      if (leads_[at] + 2 <= leads_[from]) {
        --leads_[from];
        ++leads_[at];
        for (; at != from; at = reached.at(at).before)
          put_first(*reached.at(at).shard, at);
        return true;
      }
      for (auto& shard : shards_)
        if (shard.front() == at)
          for (const auto next : shard)
            if (reached.try_emplace(next, step{at, &shard}).second)
              open.push_back(next);
    }
    return false;
  }

  const nodes& members_;
  placement shards_;
  std::size_t replicas_;
  counts load_;
  counts leads_;
};

nodes place_directory(const std::vector<placed_node>& all, const nodes& now,
                      const placement_rules& rules) {
  const auto in_state = [&](core::node_id id, auto wanted) {
    return std::any_of(all.begin(), all.end(), [&](const placed_node& n) {
      return n.id == id && wanted(n.state);
    });
  };
  const auto member = [](core::node_state s) {
    return s == core::node_state::member;
  };
  const auto other = [](core::node_state s) {
    return s != core::node_state::member && s != core::node_state::removed;
  };
  nodes result;
  // Who votes goes on voting; the next to vote are those longest here.
  for (const auto id : now)
    if (in_state(id, member) && result.size() < rules.directory_voters)
      result.push_back(id);
  for (const auto& n : all)
    if (member(n.state) && !holds(result, n.id))
      result.push_back(n.id);
  for (const auto& n : all)
    if (other(n.state))
      result.push_back(n.id);
  return result;
}

} // namespace

placement desired_placement(const std::vector<placed_node>& all,
                            const placement& now, std::size_t groups,
                            const placement_rules& rules) {
  auto wanted = now;
  wanted.resize(groups);
  nodes members;
  for (const auto& n : all)
    if (n.state == core::node_state::member)
      members.push_back(n.id);
  if (members.empty() || groups == 0)
    return wanted;
  wanted[0] = place_directory(all, wanted[0], rules);
  if (groups == 1)
    return wanted;
  placement shards{wanted.begin() + 1, wanted.end()};
  shards = distribution{members, std::move(shards), rules.shard_replicas}.run();
  std::move(shards.begin(), shards.end(), wanted.begin() + 1);
  return wanted;
}

group_wish
wish_of(core::group_id group, const nodes& replicas,
        const std::function<core::node_state(core::node_id)>& state_of,
        const placement_rules& rules) {
  if (group != core::directory_group)
    return {replicas, {}};
  group_wish wish;
  for (const auto node : replicas) {
    const bool votes = state_of(node) == core::node_state::member &&
                       wish.voters.size() < rules.directory_voters;
    (votes ? wish.voters : wish.learners).push_back(node);
  }
  return wish;
}

group_step next_step(const configuration& now, core::node_id leader,
                     const group_wish& wish,
                     const std::function<bool(core::node_id)>& caught_up,
                     const std::function<bool(core::node_id)>& may_add) {
  if (wish.voters.empty())
    return {};
  const auto wished = [&](core::node_id n) {
    return holds(wish.voters, n) || holds(wish.learners, n);
  };
  for (const auto node : now.learners)
    if (!wished(node))
      return {step_kind::remove, node};
  for (const auto* list : {&wish.voters, &wish.learners})
    for (const auto node : *list)
      if (!now.contains(node) && may_add(node))
        return {step_kind::add_learner, node};

  nodes behind;
  std::optional<core::node_id> next;
  for (const auto node : wish.voters) {
    if (now.is_voter(node))
      continue;
    if (!caught_up(node))
      behind.push_back(node);
    else if (!next)
      next = node;
  }
  // Two voters stop when either is down: a lone one becomes three in a row.
  if (next && (behind.empty() || now.voters.size() > 1))
    return {step_kind::promote, *next};
  if (next || !behind.empty())
    return {};

  std::optional<core::node_id> surplus;
  for (const auto node : now.voters)
    if (!holds(wish.voters, node) && node != leader &&
        (!surplus || !caught_up(node))) // the dead before the living
      surplus = node;
  if (surplus)
    return {holds(wish.learners, *surplus) ? step_kind::demote
                                           : step_kind::remove,
            *surplus};
  const bool leads_wrongly = !holds(wish.voters, leader);
  for (const auto node : wish.voters) {
    if (node == leader)
      return {};
    if (caught_up(node))
      return {step_kind::transfer, node};
    if (!leads_wrongly)
      return {}; // only to the preferred one
  }
  return {};
}

} // namespace troupe::cluster
