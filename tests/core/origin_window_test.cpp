// SPDX-License-Identifier: Apache-2.0
#include "core/origin_window.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>

namespace {

using namespace troupe::core;

TEST(OriginWindow, NothingButZeroIsAppliedAtFirst) {
  const origin_record record;
  EXPECT_TRUE(is_applied(record, 0));
  EXPECT_FALSE(is_applied(record, 1));
  EXPECT_FALSE(is_applied(record, std::numeric_limits<std::uint64_t>::max()));
}

TEST(OriginWindow, KeepsOnlyAFloorForCommandsInOrder) {
  origin_record record;
  for (std::uint64_t i = 1; i <= 1000; ++i)
    mark(record, i);
  EXPECT_EQ(record.floor, 1000U);
  EXPECT_TRUE(record.bits.empty());
}

TEST(OriginWindow, RemembersGapsUntilTheyClose) {
  origin_record record;
  mark(record, 3);
  mark(record, 70);
  EXPECT_FALSE(is_applied(record, 1));
  EXPECT_FALSE(is_applied(record, 2));
  EXPECT_TRUE(is_applied(record, 3));
  EXPECT_FALSE(is_applied(record, 69));
  EXPECT_TRUE(is_applied(record, 70));
  EXPECT_FALSE(is_applied(record, 71));
  mark(record, 1);
  mark(record, 2);
  EXPECT_EQ(record.floor, 3U);
  EXPECT_TRUE(is_applied(record, 70));
  EXPECT_FALSE(is_applied(record, 69));
}

TEST(OriginWindow, TakesCommandsBelowTheWindowForApplied) {
  origin_record record;
  mark(record, idempotency_window + 5);
  EXPECT_EQ(record.floor, 5U);
  EXPECT_TRUE(is_applied(record, 5));
  EXPECT_FALSE(is_applied(record, 6));
  mark(record, std::numeric_limits<std::uint64_t>::max());
  EXPECT_TRUE(is_applied(record, idempotency_window + 5));
  EXPECT_TRUE(is_applied(record, std::numeric_limits<std::uint64_t>::max()));
  EXPECT_FALSE(
      is_applied(record, std::numeric_limits<std::uint64_t>::max() - 1));
}

TEST(OriginWindow, MarkingTwiceChangesNothing) {
  origin_record record;
  mark(record, 9);
  const auto once = record;
  mark(record, 9);
  mark(record, 0);
  EXPECT_EQ(record, once);
}

TEST(OriginWindow, AgreesWithASetOfNumbersForAnyOrder) {
  std::mt19937_64 random{1};
  for (int round = 0; round < 50; ++round) {
    origin_record record;
    std::set<std::uint64_t> applied;
    std::uint64_t highest = 0;
    std::uint64_t next = 1;
    for (int i = 0; i < 2000; ++i) {
      next += random() % 3;
      const auto reach = random() % (round % 2 == 0 ? 100 : 2000);
      const auto sequence = next > reach ? next - reach : 1;
      highest = std::max(highest, sequence);
      applied.insert(sequence);
      mark(record, sequence);
      ASSERT_LE(record.bits.size(), idempotency_window / 64);
      ASSERT_TRUE(record.bits.empty() || record.bits.back() != 0);
      ASSERT_TRUE(record.bits.empty() || (record.bits.front() & 1) == 0);
    }
    for (std::uint64_t s = 1; s <= highest + 2; ++s) {
      const bool too_old = s + idempotency_window <= highest;
      ASSERT_EQ(is_applied(record, s), too_old || applied.contains(s)) << s;
    }
  }
}

} // namespace
