// SPDX-License-Identifier: Apache-2.0
#include "core/time_histogram.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe::core {
namespace {

using namespace std::chrono_literals;

TEST(TimeHistogram, BoundsDouble) {
  EXPECT_EQ(time_histogram::bound(0), 250us);
  EXPECT_EQ(time_histogram::bound(1), 500us);
  EXPECT_EQ(time_histogram::bound(time_histogram::bounds - 1), 8'192ms);
}

TEST(TimeHistogram, ABoundBelongsToItsBucket) {
  time_histogram times;
  times.add(0ns);
  times.add(250us);
  times.add(250us + 1ns);
  times.add(1h);
  EXPECT_EQ(times.count(0), 2U);
  EXPECT_EQ(times.count(1), 1U);
  EXPECT_EQ(times.count(time_histogram::bounds), 1U);
  EXPECT_EQ(times.sum(), 1h + 500us + 1ns);
}

} // namespace
} // namespace troupe::core
