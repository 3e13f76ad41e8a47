// SPDX-License-Identifier: Apache-2.0
#include "core/date_text.hpp"

#include <gtest/gtest.h>

namespace {

using namespace troupe::core;

TEST(DateText, IsIso8601WithMilliseconds) {
  EXPECT_EQ(to_iso_8601(from_millis(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_iso_8601(from_millis(1'704'067'200'042)),
            "2024-01-01T00:00:00.042Z");
  EXPECT_EQ(to_iso_8601(from_millis(1'709'251'199'999)),
            "2024-02-29T23:59:59.999Z");
}

TEST(DateText, CountsDownBefore1970) {
  EXPECT_EQ(to_iso_8601(from_millis(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(DateText, StaysInFourDigits) {
  EXPECT_EQ(to_iso_8601(timestamp::max()), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(to_iso_8601(timestamp::min()), "0000-01-01T00:00:00.000Z");
}

} // namespace
