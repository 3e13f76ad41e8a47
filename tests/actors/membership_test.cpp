// SPDX-License-Identifier: Apache-2.0
#include "actors/leader_board.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
using core::node_id;
using core::node_state;

/// A cluster that begins with one node and arranges itself.
class Membership : public test_support::cluster_fixture {
protected:
  void found(std::uint16_t shards = 2, core::milliseconds replace_after = 0ms) {
    settings with;
    with.nodes = with.founders = 1;
    with.shards = shards;
    with.stewards = true;
    with.raft.keep_entries = 10;
    with.adjust = [replace_after](actors::broker_options& options) {
      options.replace_after = replace_after;
      options.leader_steady_after = 2s;
      options.leader_balance_interval = 500ms;
    };
    start(with);
    ASSERT_TRUE(wait_for_leaders());
    ASSERT_TRUE(wait_until([&] {
      return node(1).directory->placement(core::group_id{1}).has_value();
    }));
  }
  /// Time passes under posts to every group.
  void busy(core::milliseconds by) {
    for (; by > 0ms; by -= 50ms) {
      for (std::uint16_t g = 1; g <= settings_.shards; ++g)
        post(g, leader_of(g), 1000);
      advance(50ms);
      retry_posts();
    }
  }
  /// Posts go on until every group has so many voters.
  ::testing::AssertionResult busy_until_voters(std::size_t shards,
                                               std::size_t directory) {
    for (int i = 0; i < 600; ++i) {
      bool there = true;
      for (std::uint16_t g = 0; there && g <= settings_.shards; ++g)
        there = voters_of(g).size() == (g == 0 ? directory : shards);
      if (there)
        return ::testing::AssertionSuccess();
      busy(100ms);
    }
    auto failed = ::testing::AssertionFailure();
    for (std::uint16_t g = 0; g <= settings_.shards; ++g)
      if (leader_of(g) != 0)
        failed << inspect(leader_of(g), g) << "\n";
    return failed;
  }
  bool answer_all() {
    return wait_until([this] {
      retry_posts();
      return unanswered() == 0;
    });
  }
  void set_state(std::uint32_t id, node_state state) {
    EXPECT_EQ(
        change_cluster(core::set_node_state{node_id{id}, state}).failure.code,
        core::errc::ok);
  }
  std::set<std::uint32_t> placed(std::uint16_t group) {
    std::set<std::uint32_t> ids;
    const auto leader = leader_of(0);
    if (leader == 0)
      return ids;
    const auto nodes = node(leader).directory->placement(core::group_id{group});
    for (const auto n : *nodes)
      ids.insert(n.value());
    return ids;
  }
  /// Every shard comes to where the placement says, and the tables are equal
  /// there.
  void expect_settled() {
    advance(3s); // the placement itself
    ASSERT_TRUE(wait_until(
        [&] {
          for (std::uint16_t g = 1; g <= settings_.shards; ++g)
            if (voters_of(g).empty() || voters_of(g) != placed(g))
              return false;
          return true;
        },
        60s));
    ASSERT_TRUE(answer_all());
    advance(1s);
    for (std::uint16_t g = 1; g <= settings_.shards; ++g) {
      const auto ids = placed(g);
      expect_same_tables_of(g, {ids.begin(), ids.end()});
    }
  }
};

TEST_F(Membership, TheFirstNodeEntersItselfAndPlacesItsGroups) {
  found();
  const auto record = node(1).directory->find_node(node_id{1});
  ASSERT_TRUE(record);
  EXPECT_EQ(record->state, node_state::member);
  for (std::uint16_t g = 0; g <= 2; ++g)
    EXPECT_EQ(*node(1).directory->placement(core::group_id{g}),
              std::vector{node_id{1}});
}

TEST_F(Membership, ANewNodeGetsTheDirectoryThenItsShare) {
  found();
  busy(500ms);
  const auto id = add_node();
  EXPECT_EQ(node(1).directory->find_node(node_id{id})->state,
            node_state::joining);
  ASSERT_TRUE(busy_until_voters(2, 2));
  EXPECT_EQ(node(id).directory->find_node(node_id{id})->state,
            node_state::member)
      << "read at the new node itself";
  expect_settled();
}

TEST_F(Membership, GrowsFromOneToFiveAndBackUnderPosts) {
  found(4);
  busy(500ms);
  add_node();
  ASSERT_TRUE(busy_until_voters(2, 2));
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 3));
  add_node();
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 5));
  busy(1s);
  expect_settled();
  if (HasFatalFailure())
    return;
  // Back again: drained, then removed.
  for (const std::uint32_t gone : {1U, 4U}) {
    set_state(gone, node_state::draining);
    ASSERT_TRUE(wait_until(
        [&] {
          for (std::uint16_t g = 0; g <= settings_.shards; ++g)
            if (leader_of(g) == 0 || voters_of(g).contains(gone))
              return false;
          return true;
        },
        60s));
    busy(300ms);
    set_state(gone, node_state::removed);
    crash(gone);
  }
  ASSERT_TRUE(busy_until_voters(3, 3));
  expect_settled();
  set_state(5, node_state::removed);
  ASSERT_TRUE(busy_until_voters(2, 2));
  crash(5);
  set_state(3, node_state::removed);
  ASSERT_TRUE(busy_until_voters(1, 1));
  crash(3);
  busy(500ms);
  expect_settled();
  EXPECT_GT(acknowledged().size(), 100U);
}

TEST_F(Membership, ThreeNodesComeAtOnce) {
  found(3);
  busy(500ms);
  add_node();
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 3));
  expect_settled();
}

TEST_F(Membership, ANodeWithoutAReplicaPassesPostsOn) {
  found();
  for (int i = 0; i < 3; ++i)
    add_node();
  ASSERT_TRUE(busy_until_voters(3, 4));
  expect_settled();
  const std::uint16_t group = 1;
  std::uint32_t guest = 1;
  while (voters_of(group).count(guest) > 0)
    ++guest;
  ASSERT_LE(guest, 4U);
  const auto post_there = [&] {
    const auto before = last_answer().ticket;
    (void)ask_to_post(group, guest);
    EXPECT_TRUE(wait_until([&] { return last_answer().ticket != before; }));
    return last_answer().outcome.failure.code;
  };
  const auto placed_first =
      node(guest).directory->placement(core::group_id{group})->front().value();
  // Who shall lead it does.
  ASSERT_TRUE(wait_until([&] { return leader_of(group) == placed_first; }));
  EXPECT_EQ(post_there(), core::errc::ok);

  // Another one does, and says so.
  crash(placed_first);
  ASSERT_TRUE(wait_until([&] {
    const auto now = leader_of(group);
    return now != 0 && now != placed_first;
  }));
  EXPECT_EQ(post_there(), core::errc::not_leader);
  const auto words =
      actors::leader_board::encode({{core::group_id{group}, core::term{1000}}});
  ASSERT_TRUE(node(guest).context().announced.take(node_id{leader_of(group)},
                                                   words.view()));
  EXPECT_EQ(post_there(), core::errc::ok);
  start_node(placed_first);
}

TEST_F(Membership, LeadersAreSpread) {
  found(6);
  add_node();
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 3));
  ASSERT_TRUE(wait_until(
      [&] {
        std::map<std::uint32_t, int> leads;
        for (std::uint16_t g = 1; g <= 6; ++g)
          ++leads[leader_of(g)];
        return leads[1] == 2 && leads[2] == 2 && leads[3] == 2;
      },
      60s));
}

TEST_F(Membership, ANodeThatStopsGivesItsGroupsAwayFirst) {
  found(2);
  add_node();
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 3));
  ASSERT_TRUE(answer_all());
  const auto victim = leader_of(1);
  const auto begin = system_.clock().now();
  ASSERT_TRUE(stop(victim));
  EXPECT_LT(system_.clock().now() - begin, 400ms);
  // Nobody had to miss it first.
  ASSERT_TRUE(wait_until([&] { return leader_of(1) != 0; }, 100ms));
  ASSERT_TRUE(wait_for_leaders());
  busy(300ms);
  start_node(victim);
  ASSERT_TRUE(wait_for_leaders());
  expect_settled();
}

TEST_F(Membership, ADeadNodeIsReplacedByANewOne) {
  found(3);
  add_node();
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 3));
  crash(2);
  ASSERT_TRUE(wait_for_leaders());
  busy(300ms);
  set_state(2, node_state::removed);
  add_node();
  expect_settled();
  for (std::uint16_t g = 0; g <= 3; ++g)
    EXPECT_EQ(voters_of(g), (std::set<std::uint32_t>{1, 3, 4}));
}

TEST_F(Membership, ANewNodeTakesTheSeatsOfADeadOne) {
  found(3);
  add_node();
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 3));
  crash(2);
  const auto id = add_node();
  EXPECT_EQ(
      change_cluster(core::replace_node{node_id{2}, node_id{id}}).failure.code,
      core::errc::not_permitted)
      << "it has not got the directory";
  ASSERT_TRUE(wait_until([&] {
    return node(1).directory->find_node(node_id{id})->state ==
           node_state::member;
  }));
  ASSERT_EQ(
      change_cluster(core::replace_node{node_id{2}, node_id{id}}).failure.code,
      core::errc::ok);
  expect_settled();
  for (std::uint16_t g = 1; g <= 3; ++g)
    EXPECT_EQ(voters_of(g), (std::set<std::uint32_t>{1, 3, id}));
  EXPECT_EQ(node(1).directory->find_node(node_id{2})->state,
            node_state::draining);
}

TEST_F(Membership, AMemberGoneForLongIsReplacedUntilItIsBack) {
  found(4, 10s);
  for (int i = 0; i < 3; ++i)
    add_node();
  ASSERT_TRUE(busy_until_voters(3, 4));
  expect_settled();
  crash(4);
  ASSERT_TRUE(wait_for_leaders());
  const auto leader = [&] { return leader_of(0); };
  const auto state_of_four = [&] {
    return node(leader()).directory->find_node(node_id{4})->state;
  };
  busy(5s);
  EXPECT_EQ(state_of_four(), node_state::member) << "not yet";
  ASSERT_TRUE(wait_until(
      [&] { return leader() != 0 && state_of_four() == node_state::absent; },
      30s));
  expect_settled();
  for (std::uint16_t g = 1; g <= 4; ++g)
    EXPECT_EQ(voters_of(g), (std::set<std::uint32_t>{1, 2, 3}));
  ASSERT_TRUE(wait_until([&] { return !voters_of(0).contains(4); }));

  start_node(4);
  ASSERT_TRUE(wait_until(
      [&] { return leader() != 0 && state_of_four() == node_state::member; },
      30s));
  ASSERT_TRUE(wait_until(
      [&] {
        for (std::uint16_t g = 1; g <= 4; ++g)
          if (voters_of(g).contains(4))
            return true;
        return false;
      },
      60s));
  expect_settled();
}

TEST_F(Membership, WithoutSpareNodesNobodyIsReplaced) {
  found(2, 5s);
  add_node();
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 3));
  crash(3);
  ASSERT_TRUE(wait_for_leaders());
  busy(30s);
  EXPECT_EQ(node(leader_of(0)).directory->find_node(node_id{3})->state,
            node_state::member);
  EXPECT_TRUE(placed(1).contains(3));
  start_node(3);
  expect_settled();
}

TEST_F(Membership, ARemovedNodeLearnsItAndIsQuiet) {
  found(1);
  add_node();
  add_node();
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 4));
  ASSERT_TRUE(answer_all());
  // Cut off while it loses its place.
  const auto members = placed(1);
  const auto victim =
      *std::find_if(members.begin(), members.end(), [&](std::uint32_t n) {
        return n != leader_of(1) && n != leader_of(0);
      });
  network_.isolate(node_id{victim}, 4);
  set_state(victim, node_state::draining);
  ASSERT_TRUE(wait_until(
      [&] { return !voters_of(1).contains(victim) && leader_of(1) != 0; },
      60s));
  network_.heal();
  ASSERT_TRUE(wait_until([&] {
    return inspect(victim, 1).find("\"dismissed\":true") != std::string::npos;
  }));
  // It asks for no vote any more.
  advance(500ms);
  int votes = 0;
  network_.filter = [&](node_id from, auto, core::group_id group,
                        actors::group_frame_kind) {
    votes += from == node_id{victim} && group == core::group_id{1};
    return true;
  };
  advance(5s);
  EXPECT_EQ(votes, 0);
  network_.filter = nullptr;
  // And comes back when it is wanted again.
  set_state(victim, node_state::member);
  busy(500ms);
  expect_settled();
}

TEST_F(Membership, ANodeThatGaveAGroupUpIsReadyAfterARestart) {
  found(1);
  add_node();
  add_node();
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 4));
  ASSERT_TRUE(answer_all());
  const auto members = placed(1);
  const auto victim =
      *std::find_if(members.begin(), members.end(), [&](std::uint32_t n) {
        return n != leader_of(1) && n != leader_of(0);
      });
  // It is not there to hear that it lost its place.
  crash(victim);
  set_state(victim, node_state::draining);
  ASSERT_TRUE(wait_until(
      [&] { return !voters_of(1).contains(victim) && leader_of(1) != 0; },
      60s));
  start_node(victim);
  EXPECT_TRUE(wait_until(
      [&] { return node(victim).context().groups_ready.load() == 2U; }));
}

TEST_F(Membership, ANodeWithoutItsDataDoesNotVote) {
  found(1);
  add_node();
  add_node();
  ASSERT_TRUE(busy_until_voters(3, 3));
  ASSERT_TRUE(answer_all());
  // One is down with what only it and the other have; the third lost its disk.
  const auto leader = leader_of(1);
  const auto behind = leader % 3 + 1;
  const auto other = 6 - leader - behind;
  network_.isolate(node_id{behind}, 3);
  busy(300ms);
  ASSERT_FALSE(acknowledged().empty());
  crash(leader);
  crash(other);
  wipe(other);
  network_.heal();
  start_node(other);
  // `behind` and an empty `other` would be a majority that knows nothing.
  advance(10s);
  EXPECT_EQ(leader_of(1), 0U);
  start_node(leader);
  ASSERT_TRUE(wait_for_leaders());
  ASSERT_TRUE(answer_all());
  advance(2s);
  expect_same_tables_of(1, {leader, behind});
}

TEST_F(Membership, ManyCrashesWhileItGrowsLoseNothing) {
  found(3);
  busy(300ms);
  std::mt19937_64 random{7};
  for (int round = 0; round < 4; ++round) {
    add_node();
    for (int i = 0; i < 3; ++i) {
      busy(400ms);
      // A minority of the voters, whoever it is.
      const auto victim =
          1 + static_cast<std::uint32_t>(random() % nodes_.size());
      if (nodes_.size() < 3 && victim == 1)
        continue;
      crash(victim);
      busy(300ms);
      start_node(victim);
    }
  }
  ASSERT_TRUE(busy_until_voters(3, 5));
  expect_settled();
}

} // namespace
