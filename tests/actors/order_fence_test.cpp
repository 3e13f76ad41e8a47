// SPDX-License-Identifier: Apache-2.0
#include "actors/order_fence.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

constexpr core::steady_time noon{12h};

TEST(OrderFence, HoldsBackOneAskerUntilItRepeatsWhatWasLost) {
  order_fence fence;
  EXPECT_TRUE(fence.passes(1, false));
  fence.raise(1, noon);
  EXPECT_FALSE(fence.passes(1, false));
  EXPECT_TRUE(fence.passes(2, false));
  EXPECT_TRUE(fence.passes(2, true));
  EXPECT_FALSE(fence.passes(1, false));
  EXPECT_TRUE(fence.passes(1, true));
  EXPECT_TRUE(fence.passes(1, false));
}

TEST(OrderFence, ForgetsAMinuteAfterTheLastLoss) {
  order_fence fence;
  fence.raise(1, noon);
  fence.raise(2, noon);
  fence.raise(1, noon + 30s);
  fence.expire(noon + 60s);
  EXPECT_EQ(fence.size(), 2U);
  fence.expire(noon + 61s);
  EXPECT_EQ(fence.size(), 1U);
  EXPECT_TRUE(fence.passes(2, false));
  EXPECT_FALSE(fence.passes(1, false));
  fence.expire(noon + 91s);
  EXPECT_EQ(fence.size(), 0U);
  EXPECT_TRUE(fence.passes(1, false));
}

} // namespace
} // namespace troupe::actors
