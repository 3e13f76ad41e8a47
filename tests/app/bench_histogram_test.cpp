// SPDX-License-Identifier: Apache-2.0
#include "app/bench_histogram.hpp"

#include <gtest/gtest.h>

namespace troupe::app {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

TEST(BenchHistogram, AnswersNothingForNothing) {
  const bench_histogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_EQ(empty.at_share(0.5), 0U);
  EXPECT_EQ(empty.max_us(), 0U);
}

TEST(BenchHistogram, IsExactForShortDurations) {
  bench_histogram histogram;
  for (int us = 1; us <= 60; ++us)
    histogram.record(microseconds{us});
  EXPECT_EQ(histogram.at_share(0.5), 30U);
  EXPECT_EQ(histogram.at_share(0.9), 54U);
  EXPECT_EQ(histogram.at_share(1), 60U);
  EXPECT_EQ(histogram.at_share(0), 1U);
}

TEST(BenchHistogram, StaysWithinABucketOfLongDurations) {
  for (std::uint64_t us = 64; us < 10'000'000; us = us * 5 / 4) {
    bench_histogram histogram;
    histogram.record(microseconds{us});
    histogram.record(hours{1});
    const auto shown = histogram.at_share(0.5);
    EXPECT_GE(shown, us);
    EXPECT_LE(shown, us + us / 31);
  }
}

TEST(BenchHistogram, NeverShowsMoreThanTheMaximum) {
  bench_histogram histogram;
  histogram.record(microseconds{1000});
  EXPECT_EQ(histogram.at_share(0.5), 1000U);
}

TEST(BenchHistogram, TakesDurationsOutOfItsRange) {
  bench_histogram histogram;
  histogram.record(nanoseconds{-5});
  histogram.record(hours{1000});
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.at_share(0.5), 0U);
  EXPECT_EQ(histogram.max_us(), (std::uint64_t{1} << 36) - 1);
}

TEST(BenchHistogram, MergesWhatAnotherHasSeen) {
  bench_histogram one;
  bench_histogram other;
  one.record(microseconds{10});
  other.record(microseconds{20});
  other.record(microseconds{30});
  one.merge(other);
  EXPECT_EQ(one.count(), 3U);
  EXPECT_EQ(one.at_share(0.5), 20U);
  EXPECT_EQ(one.max_us(), 30U);
}

} // namespace
} // namespace troupe::app
