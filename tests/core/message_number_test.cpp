// SPDX-License-Identifier: Apache-2.0
#include "core/message_number.hpp"

#include <gtest/gtest.h>

namespace {

using namespace troupe::core;

TEST(MessageNumber, HoldsIndexGroupAndOrdinal) {
  EXPECT_EQ(message_number(group_id{3}, log_index{5}, 7),
            (5ULL << 26) + (3ULL << 16) + 7);
  EXPECT_EQ(message_number(group_id{1023}, log_index{(1ULL << 38) - 1}, 65535),
            ~std::uint64_t{0});
}

TEST(MessageNumber, AscendsWithTheLog) {
  EXPECT_LT(message_number(group_id{1023}, log_index{5}, 65535),
            message_number(group_id{0}, log_index{6}, 0));
}

TEST(MessageExpiry, StaysWithinWhatTimeCanBe) {
  EXPECT_EQ(message_expiry(from_millis(10), milliseconds{5}), from_millis(15));
  EXPECT_EQ(message_expiry(from_millis(10), milliseconds::max()),
            timestamp::max());
  EXPECT_EQ(message_expiry(from_millis(-10), milliseconds::min()),
            timestamp::min());
  EXPECT_EQ(message_expiry(from_millis(-10), milliseconds::max()),
            timestamp::max() - milliseconds{10});
}

} // namespace
