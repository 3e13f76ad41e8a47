// SPDX-License-Identifier: Apache-2.0
#include "cluster/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

namespace troupe::cluster {
namespace {

using core::node_id;
using core::node_state;
using ids = std::vector<node_id>;

constexpr std::size_t groups = 17;
const placement_rules rules;

ids nodes_of(std::initializer_list<std::uint32_t> list) {
  ids result;
  for (const auto n : list)
    result.emplace_back(n);
  return result;
}
std::vector<placed_node> members(std::uint32_t count) {
  std::vector<placed_node> result;
  for (std::uint32_t n = 1; n <= count; ++n)
    result.push_back({node_id{n}, node_state::member});
  return result;
}
placement place(const std::vector<placed_node>& nodes,
                const placement& now = {}) {
  return desired_placement(nodes, now, groups, rules);
}
std::map<node_id, std::size_t> loads(const placement& p) {
  std::map<node_id, std::size_t> result;
  for (std::size_t g = 1; g < p.size(); ++g)
    for (const auto n : p[g])
      ++result[n];
  return result;
}
bool has(const ids& list, node_id n) {
  return std::find(list.begin(), list.end(), n) != list.end();
}
/// Replicas of shards in `to` that `from` has not.
std::size_t moves(const placement& from, const placement& to) {
  std::size_t count = 0;
  for (std::size_t g = 1; g < to.size(); ++g)
    for (const auto n : to[g])
      count += g >= from.size() || !has(from[g], n);
  return count;
}

void expect_sound(const std::vector<placed_node>& nodes, const placement& p) {
  ids there;
  for (const auto& n : nodes)
    if (n.state == node_state::member)
      there.push_back(n.id);
  const auto replicas = std::min<std::size_t>(there.size(), 3);
  std::map<node_id, std::size_t> load;
  std::map<node_id, std::size_t> leads;
  for (const auto n : there)
    load[n] = leads[n] = 0;
  for (std::size_t g = 1; g < groups; ++g) {
    ASSERT_EQ(p[g].size(), replicas);
    ASSERT_EQ(std::set<node_id>(p[g].begin(), p[g].end()).size(), replicas);
    for (const auto n : p[g]) {
      ASSERT_TRUE(has(there, n));
      ++load[n];
    }
    ++leads[p[g].front()];
  }
  for (const auto& counts : {load, leads}) {
    const auto [least, most] = std::minmax_element(
        counts.begin(), counts.end(),
        [](const auto& a, const auto& b) { return a.second < b.second; });
    ASSERT_LE(most->second - least->second, 1U);
  }
  std::size_t all = 0;
  for (const auto& n : nodes) {
    const bool there_still = n.state != node_state::removed;
    all += there_still ? 1U : 0U;
    ASSERT_EQ(has(p[0], n.id), there_still);
  }
  ASSERT_EQ(p[0].size(), all);
}

TEST(Placement, FollowsTheTableOfReplicaCounts) {
  for (std::uint32_t n = 1; n <= 9; ++n) {
    const auto p = place(members(n));
    expect_sound(members(n), p);
    const auto wish = wish_of(
        core::directory_group, p[0], [](node_id) { return node_state::member; },
        rules);
    EXPECT_EQ(wish.voters.size(), std::min(n, 5U));
    EXPECT_EQ(wish.learners.size(), n - std::min(n, 5U));
  }
}

TEST(Placement, IsStable) {
  for (std::uint32_t n = 1; n <= 9; ++n) {
    const auto p = place(members(n));
    EXPECT_EQ(place(members(n), p), p);
  }
}

TEST(Placement, ANewNodeGetsItsShareAndNothingElseMoves) {
  for (std::uint32_t n = 3; n <= 9; ++n) {
    const auto before = place(members(n));
    const auto after = place(members(n + 1), before);
    expect_sound(members(n + 1), after);
    EXPECT_EQ(moves(before, after), loads(after)[node_id{n + 1}]);
  }
}

TEST(Placement, ANodeThatGoesMovesLittleButWhatItHad) {
  for (std::uint32_t n = 4; n <= 9; ++n)
    for (std::uint32_t gone = 1; gone <= n; ++gone) {
      const auto before = place(members(n));
      auto nodes = members(n);
      nodes[gone - 1].state = node_state::draining;
      const auto after = place(nodes, before);
      expect_sound(nodes, after);
      EXPECT_EQ(loads(after).count(node_id{gone}), 0U);
      // Two more where only those that shared shards with it have room.
      EXPECT_LE(moves(before, after), loads(before)[node_id{gone}] + 2);
    }
}

TEST(Placement, AJoiningNodeGetsTheDirectoryOnly) {
  auto nodes = members(3);
  nodes.push_back({node_id{4}, node_state::joining});
  const auto p = place(nodes, place(members(3)));
  EXPECT_EQ(p[0], nodes_of({1, 2, 3, 4}));
  EXPECT_EQ(loads(p).count(node_id{4}), 0U);
  const auto wish = wish_of(
      core::directory_group, p[0],
      [](node_id n) {
        return n == node_id{4} ? node_state::joining : node_state::member;
      },
      rules);
  EXPECT_EQ(wish.learners, nodes_of({4}));
}

TEST(Placement, WithoutAMemberNothingMoves) {
  auto nodes = members(2);
  const auto before = place(nodes);
  for (auto& n : nodes)
    n.state = node_state::draining;
  EXPECT_EQ(place(nodes, before), before);
}

TEST(Placement, ThousandsOfHistoriesStaySoundAndMoveLittle) {
  std::size_t total = 0;
  std::size_t needed = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    std::mt19937_64 random{seed};
    auto nodes = members(1 + static_cast<std::uint32_t>(random() % 4));
    auto p = place(nodes);
    for (int event = 0; event < 12; ++event) {
      auto& some = nodes[random() % nodes.size()];
      switch (random() % 4) {
      case 0:
        nodes.push_back({node_id{static_cast<std::uint32_t>(nodes.size() + 1)},
                         node_state::member});
        break;
      case 1:
        some.state = node_state::draining;
        break;
      case 2:
        some.state = node_state::removed;
        break;
      default:
        if (some.state != node_state::removed)
          some.state = node_state::member;
      }
      ids there;
      for (const auto& n : nodes)
        if (n.state == node_state::member)
          there.push_back(n.id);
      const auto before = p;
      p = place(nodes, before);
      ASSERT_EQ(place(nodes, before), p) << "the same everywhere";
      if (there.empty()) {
        ASSERT_EQ(p, before);
        continue;
      }
      expect_sound(nodes, p);
      if (HasFatalFailure())
        FAIL() << "seed " << seed;
      ASSERT_EQ(place(nodes, p), p) << "seed " << seed;
      // Replicas that had to be made anew: those missing, and as many as the
      // emptiest need to have their share.
      const auto replicas = std::min<std::size_t>(there.size(), 3);
      std::size_t missing = 0;
      std::map<node_id, std::size_t> kept;
      for (std::size_t g = 1; g < groups; ++g) {
        std::size_t here = 0;
        for (const auto n : before[g])
          if (has(there, n)) {
            ++here;
            ++kept[n];
          }
        missing += replicas - std::min(here, replicas);
      }
      const auto share = (groups - 1) * replicas / there.size();
      std::size_t lacking = 0;
      for (const auto n : there)
        lacking += share - std::min(kept[n], share);
      total += moves(before, p);
      needed += std::max(missing, lacking);
      ASSERT_LE(moves(before, p), std::max(missing, lacking) + 3)
          << "seed " << seed;
    }
  }
  EXPECT_LE(total, needed + needed / 50);
}

// ---------------------------------------------------------------------- steps

/// Carries steps out on a configuration as a group's leader would.
class walker {
public:
  explicit walker(std::uint64_t seed) : random_(seed) {}

  configuration now;
  node_id leader;
  std::set<node_id> up;

  bool behind(node_id n) { return lag_[n] > 0 || !up.contains(n); }
  /// False if there is nothing to do now.
  bool walk(const group_wish& wish) {
    for (auto& [node, lag] : lag_)
      if (up.contains(node) && lag > 0 && random_() % 2 == 0)
        --lag;
    const auto step =
        next_step(now, leader, wish, [&](node_id n) { return !behind(n); });
    const auto before = now;
    switch (step.kind) {
    case step_kind::none:
      return false;
    case step_kind::add_learner:
      EXPECT_FALSE(now.contains(step.node));
      now.learners.push_back(step.node);
      lag_[step.node] = 1 + random_() % 5;
      break;
    case step_kind::promote:
      EXPECT_TRUE(now.is_learner(step.node));
      EXPECT_FALSE(behind(step.node));
      now.erase(step.node);
      now.voters.push_back(step.node);
      break;
    case step_kind::demote:
      EXPECT_TRUE(now.is_voter(step.node));
      now.erase(step.node);
      now.learners.push_back(step.node);
      break;
    case step_kind::remove:
      EXPECT_TRUE(now.contains(step.node));
      now.erase(step.node);
      break;
    case step_kind::transfer:
      EXPECT_TRUE(now.is_voter(step.node));
      EXPECT_FALSE(behind(step.node));
      EXPECT_NE(step.node, leader);
      leader = step.node;
      break;
    }
    EXPECT_TRUE(is_valid(now));
    EXPECT_TRUE(is_single_step(before, now));
    EXPECT_TRUE(now.is_voter(leader)) << "the leader removed itself";
    return true;
  }
  [[nodiscard]] bool arrived(const group_wish& wish) const {
    const auto sorted = [](ids list) {
      std::sort(list.begin(), list.end());
      return list;
    };
    return sorted(now.voters) == sorted(wish.voters) &&
           sorted(now.learners) == sorted(wish.learners);
  }
  std::mt19937_64& random() { return random_; }

private:
  std::mt19937_64 random_;
  std::map<node_id, std::uint64_t> lag_;
};

TEST(GroupStep, OneBecomesThreeInARow) {
  configuration now{nodes_of({1}), {}};
  const group_wish wish{nodes_of({1, 2, 3}), {}};
  std::set<node_id> ready;
  const auto caught_up = [&](node_id n) { return ready.contains(n); };
  const auto next = [&] { return next_step(now, node_id{1}, wish, caught_up); };
  EXPECT_EQ(next(), (group_step{step_kind::add_learner, node_id{2}}));
  now.learners.push_back(node_id{2});
  EXPECT_EQ(next(), (group_step{step_kind::add_learner, node_id{3}}));
  now.learners.push_back(node_id{3});
  ready = {node_id{2}};
  EXPECT_EQ(next(), group_step{}) << "two voters would be worse than one";
  ready.insert(node_id{3});
  EXPECT_EQ(next(), (group_step{step_kind::promote, node_id{2}}));
  now = {nodes_of({1, 2}), nodes_of({3})};
  EXPECT_EQ(next(), (group_step{step_kind::promote, node_id{3}}));
  now = {nodes_of({1, 2, 3}), {}};
  EXPECT_EQ(next(), group_step{});
}

TEST(GroupStep, AMoveAddsBeforeItRemoves) {
  configuration now{nodes_of({1, 2, 3}), {}};
  const group_wish wish{nodes_of({2, 3, 4}), {}};
  const auto ready = [](node_id) { return true; };
  const auto next = [&](std::uint32_t leader) {
    return next_step(now, node_id{leader}, wish, ready);
  };
  EXPECT_EQ(next(1), (group_step{step_kind::add_learner, node_id{4}}));
  now.learners = nodes_of({4});
  EXPECT_EQ(next(1), (group_step{step_kind::promote, node_id{4}}));
  now = {nodes_of({1, 2, 3, 4}), {}};
  EXPECT_EQ(next(1), (group_step{step_kind::transfer, node_id{2}}));
  EXPECT_EQ(next(2), (group_step{step_kind::remove, node_id{1}}));
  now = {nodes_of({2, 3, 4}), {}};
  EXPECT_EQ(next(2), group_step{});
  EXPECT_EQ(next(4), (group_step{step_kind::transfer, node_id{2}}));
}

TEST(GroupStep, LeadershipGoesToThePreferredOnlyWhenItHasCaughtUp) {
  const configuration now{nodes_of({1, 2, 3}), {}};
  const group_wish wish{nodes_of({1, 2, 3}), {}};
  const auto behind_one = [](node_id n) { return n != node_id{1}; };
  EXPECT_EQ(next_step(now, node_id{3}, wish, behind_one), group_step{});
}

TEST(GroupStep, TheDeadGoBeforeTheLiving) {
  const configuration now{nodes_of({1, 2, 3, 4, 5}), {}};
  const group_wish wish{nodes_of({1, 2, 4}), {}};
  const auto dead = [](node_id n) { return n != node_id{5}; };
  EXPECT_EQ(next_step(now, node_id{1}, wish, dead),
            (group_step{step_kind::remove, node_id{5}}));
}

TEST(GroupStep, EveryHistoryEndsWhereItShould) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    walker w{seed};
    auto& random = w.random();
    auto nodes = members(1);
    auto p = place(nodes);
    const auto group = static_cast<std::uint16_t>(random() % 4);
    w.now.voters = nodes_of({1});
    w.leader = node_id{1};
    w.up.insert(node_id{1});
    const auto state_of = [&](node_id n) { return nodes[n.value() - 1].state; };
    for (int event = 0; event < 10; ++event) {
      if (random() % 2 == 0 || nodes.size() < 3) {
        const node_id fresh{static_cast<std::uint32_t>(nodes.size() + 1)};
        nodes.push_back({fresh, node_state::member});
        w.up.insert(fresh);
      } else {
        auto& some = nodes[random() % nodes.size()];
        const auto left = std::count_if(
            nodes.begin(), nodes.end(), [&](const placed_node& n) {
              return n.state == node_state::member && n.id != some.id;
            });
        if (left > 0 && some.state != node_state::removed)
          some.state =
              random() % 2 == 0 ? node_state::draining : node_state::removed;
      }
      p = place(nodes, p);
      const auto wish =
          wish_of(core::group_id{group}, p[group], state_of, rules);
      // Not always to its end before the next change comes.
      const auto floor = std::min(w.now.voters.size(), wish.voters.size());
      const auto patience = random() % 3 == 0 ? random() % 10 : 300;
      const auto there = [&] {
        return w.arrived(wish) && w.leader == wish.voters.front();
      };
      for (std::uint64_t i = 0; i < patience && !there(); ++i) {
        w.walk(wish);
        ASSERT_GE(w.now.voters.size(), floor) << "seed " << seed;
      }
      if (patience == 300) {
        ASSERT_TRUE(w.arrived(wish)) << "seed " << seed;
        ASSERT_EQ(w.leader, wish.voters.front());
      }
      if (HasFailure())
        FAIL() << "seed " << seed;
    }
  }
}

TEST(GroupStep, PutsOffANodeThatHasEnoughToGet) {
  const auto node = [](std::uint32_t id) { return node_id{id}; };
  const configuration now{{node(1), node(2), node(3)}, {}};
  const group_wish wish{{node(1), node(4), node(5)}, {}};
  const auto all = [](node_id n) { return n.value() <= 3; };
  const auto not_four = [](node_id n) { return n != node_id{4}; };
  EXPECT_EQ(next_step(now, node(1), wish, all, not_four),
            (group_step{step_kind::add_learner, node(5)}));
  // Nobody leaves while somebody is still awaited.
  EXPECT_EQ(next_step(now, node(1), wish, all, [](node_id) { return false; }),
            group_step{});
}

} // namespace
} // namespace troupe::cluster
