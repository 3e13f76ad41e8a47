// SPDX-License-Identifier: Apache-2.0
#include "actors/leader_board.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::actors {
namespace {

using core::group_id;
using core::node_id;
using core::term;

TEST(LeaderBoard, KeepsWhoLeadsInTheHighestTerm) {
  leader_board board{3};
  EXPECT_EQ(board.leader_of(group_id{1}), node_id{});
  const auto early =
      leader_board::encode({{group_id{1}, term{4}}, {group_id{2}, term{4}}});
  const auto late = leader_board::encode({{group_id{1}, term{5}}});
  EXPECT_TRUE(board.take(node_id{7}, early.view()));
  EXPECT_TRUE(board.take(node_id{8}, late.view()));
  // Of a leader that does not know yet that it was deposed.
  EXPECT_TRUE(board.take(node_id{7}, early.view()));
  EXPECT_EQ(board.leader_of(group_id{0}), node_id{});
  EXPECT_EQ(board.leader_of(group_id{1}), node_id{8});
  EXPECT_EQ(board.leader_of(group_id{2}), node_id{7});
}

TEST(LeaderBoard, SaysWhichGroupsHaveAnotherLeader) {
  leader_board board{3};
  std::vector<group_id> changed;
  const auto take = [&](std::uint32_t from, std::vector<led_group> led) {
    changed.clear();
    return board.take(node_id{from}, leader_board::encode(led).view(),
                      [&](group_id which) { changed.push_back(which); });
  };
  EXPECT_TRUE(take(7, {{group_id{1}, term{4}}, {group_id{2}, term{4}}}));
  EXPECT_EQ(changed, (std::vector{group_id{1}, group_id{2}}));
  EXPECT_TRUE(take(7, {{group_id{1}, term{4}}, {group_id{2}, term{6}}}));
  EXPECT_EQ(changed, std::vector<group_id>{});
  EXPECT_TRUE(take(8, {{group_id{1}, term{5}}, {group_id{2}, term{5}}}));
  EXPECT_EQ(changed, std::vector{group_id{1}});
}

TEST(LeaderBoard, RefusesWhatIsNone) {
  leader_board board{2};
  const auto good = leader_board::encode({{group_id{1}, term{4}}});
  for (std::size_t size = 2; size < good.size(); ++size)
    EXPECT_FALSE(board.take(node_id{7}, good.view().subspan(0, size)));
  const auto foreign = leader_board::encode({{group_id{2}, term{4}}});
  EXPECT_FALSE(board.take(node_id{7}, foreign.view()));
  EXPECT_FALSE(board.take(node_id{7}, core::as_bytes(std::string{"\2"})));
  EXPECT_FALSE(board.take(node_id{7}, {}));
  EXPECT_EQ(board.leader_of(group_id{1}), node_id{});
  EXPECT_TRUE(board.take(node_id{7}, leader_board::encode({}).view()));
}

} // namespace
} // namespace troupe::actors
