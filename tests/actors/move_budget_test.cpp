// SPDX-License-Identifier: Apache-2.0
#include "actors/move_budget.hpp"

#include <gtest/gtest.h>

namespace {

using namespace troupe;
using core::group_id;
using core::node_id;

TEST(MoveBudget, BoundsTheMovesToEachNode) {
  actors::move_budget budget{2};
  EXPECT_TRUE(budget.take(group_id{1}, node_id{4}));
  EXPECT_TRUE(budget.take(group_id{2}, node_id{4}));
  EXPECT_FALSE(budget.take(group_id{3}, node_id{4}));
  EXPECT_TRUE(budget.take(group_id{1}, node_id{4})) << "it has its place";
  EXPECT_TRUE(budget.take(group_id{3}, node_id{5})) << "another node";
  EXPECT_EQ(budget.under_way(), 3U);
}

TEST(MoveBudget, PlacesOfMovesThatAreDoneAreFree) {
  actors::move_budget budget{1};
  ASSERT_TRUE(budget.take(group_id{1}, node_id{4}));
  ASSERT_TRUE(budget.take(group_id{1}, node_id{5}));
  budget.keep(group_id{1}, {node_id{5}});
  EXPECT_TRUE(budget.take(group_id{2}, node_id{4}));
  EXPECT_FALSE(budget.take(group_id{2}, node_id{5}));
  budget.keep(group_id{1}, {});
  EXPECT_TRUE(budget.take(group_id{2}, node_id{5}));
}

} // namespace
