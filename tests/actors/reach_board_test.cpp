// SPDX-License-Identifier: Apache-2.0
#include "actors/reach_board.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using core::node_id;

constexpr core::steady_time noon{12h};

TEST(ReachBoard, NamesWhoReachesMoreThanThisNode) {
  reach_board board;
  board.set_own(2);
  EXPECT_TRUE(board.take(node_id{2}, reach_board::encode(2).view(), noon));
  EXPECT_EQ(board.reaches_most({node_id{2}, node_id{3}}, noon), std::nullopt);
  EXPECT_TRUE(board.take(node_id{3}, reach_board::encode(3).view(), noon));
  EXPECT_TRUE(board.take(node_id{4}, reach_board::encode(4).view(), noon));
  EXPECT_TRUE(board.take(node_id{5}, reach_board::encode(4).view(), noon));
  EXPECT_EQ(board.reaches_most({node_id{2}, node_id{3}}, noon), node_id{3});
  EXPECT_EQ(board.reaches_most({node_id{5}, node_id{4}, node_id{3}}, noon),
            node_id{5});
}

TEST(ReachBoard, ReachingLessIsToBeKnown) {
  reach_board board;
  board.set_own(2);
  EXPECT_FALSE(board.reaches_less(node_id{2}, noon)) << "it has said nothing";
  EXPECT_TRUE(board.take(node_id{2}, reach_board::encode(1).view(), noon));
  EXPECT_TRUE(board.take(node_id{3}, reach_board::encode(2).view(), noon));
  EXPECT_TRUE(board.reaches_less(node_id{2}, noon));
  EXPECT_FALSE(board.reaches_less(node_id{3}, noon));
  EXPECT_FALSE(
      board.reaches_less(node_id{2}, noon + reach_board::memory + 1ms));
}

TEST(ReachBoard, OldWordsCountNoMore) {
  reach_board board;
  EXPECT_TRUE(board.take(node_id{2}, reach_board::encode(3).view(), noon));
  EXPECT_EQ(board.reaches_most({node_id{2}}, noon + reach_board::memory),
            node_id{2});
  EXPECT_EQ(board.reaches_most({node_id{2}}, noon + reach_board::memory + 1ms),
            std::nullopt);
}

TEST(ReachBoard, RefusesWhatIsNone) {
  reach_board board;
  const auto good = reach_board::encode(7);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(board.take(node_id{2}, good.view().subspan(0, size), noon));
  EXPECT_FALSE(
      board.take(node_id{2}, core::as_bytes(std::string(6, '\1')), noon));
  EXPECT_FALSE(
      board.take(node_id{2}, core::as_bytes(std::string(5, '\2')), noon));
  EXPECT_EQ(board.reaches_most({node_id{2}}, noon), std::nullopt);
}

/// Two nodes have lost each other; groups are led by one of them.
class LeaderOfLessReach : public test_support::cluster_fixture {
protected:
  LeaderOfLessReach() {
    settings with;
    with.nodes = with.founders = 1;
    with.stewards = true;
    with.adjust = [](broker_options& options) {
      options.leader_steady_after = 20s;
      options.leader_balance_interval = 1s;
    };
    start(with);
    EXPECT_TRUE(wait_for_leaders());
    EXPECT_TRUE(wait_until([&] {
      return node(1).directory->placement(core::group_id{1}).has_value();
    }));
    add_node();
    add_node();
    EXPECT_TRUE(wait_for_voters(3, 3));
    leader_ = leader_of(1);
    better_ = leader_ % 3 + 1;
  }
  /// What the nodes tell each other meanwhile.
  void live_on(core::milliseconds by, std::uint32_t theirs) {
    for (; by > 0ms; by -= 500ms) {
      for (std::uint32_t at = 1; at <= 3; ++at) {
        auto& board = node(at).context().reach;
        board.set_own(at == better_ ? 2 : theirs);
        for (std::uint32_t from = 1; from <= 3; ++from)
          if (from != at)
            (void)board.take(
                node_id{from},
                reach_board::encode(from == better_ ? 2 : theirs).view(),
                system_.clock().now());
      }
      advance(500ms);
    }
  }

  std::uint32_t leader_ = 0;
  std::uint32_t better_ = 0;
};

TEST_F(LeaderOfLessReach, GivesItsGroupsToOneOfMore) {
  live_on(3s, 1);
  EXPECT_EQ(leader_of(1), leader_) << "it may be over in a moment";
  live_on(5s, 1);
  for (std::uint16_t group = 0; group <= 2; ++group)
    EXPECT_EQ(leader_of(group), better_) << group;
  // Not even the preferred one gets them back before it reaches as much.
  live_on(90s, 1);
  for (std::uint16_t group = 0; group <= 2; ++group)
    EXPECT_EQ(leader_of(group), better_) << group;
  live_on(120s, 2);
  std::set<std::uint32_t> leaders;
  for (std::uint16_t group = 1; group <= 2; ++group)
    leaders.insert(leader_of(group));
  EXPECT_EQ(leaders.size(), 2U) << "they are spread again";
}

TEST_F(LeaderOfLessReach, GivesNothingToANodeWithoutALink) {
  live_on(8s, 1);
  ASSERT_EQ(leader_of(1), better_);
  ASSERT_EQ(leader_of(2), better_);
  live_on(5s, 2); // one of the groups has its preferred leader elsewhere
  auto& context = node(better_).context();
  const auto before = context.stats.leaderships_given.load();
  // All others were heard of a moment ago; then their links end.
  network_.isolate(node_id{better_}, 3);
  context.balance_leaders_now(system_.clock().now());
  advance(250ms); // nobody campaigns yet
  EXPECT_EQ(context.stats.leaderships_given.load(), before)
      << "the group would wait for it";
  network_.heal();
  live_on(2s, 2);
  EXPECT_GT(context.stats.leaderships_given.load(), before);
}

TEST_F(LeaderOfLessReach, KeepsThemAmongEquals) {
  live_on(10s, 2);
  EXPECT_EQ(leader_of(1), leader_);
}

} // namespace
} // namespace troupe::actors
