// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

TEST(MetricsText, LabelValuesAreEscaped) {
  metrics_writer out;
  out.sample("troupe_x", "of", "a\"b\\c\nd", 3);
  EXPECT_EQ(std::move(out).text(), "troupe_x{of=\"a\\\"b\\\\c\\nd\"} 3\n");
}

TEST(MetricsText, BucketsOfAHistogramAddUp) {
  core::time_histogram times;
  times.add(100us);
  times.add(300us);
  times.add(1h);
  metrics_writer out;
  out.histogram("troupe_x_seconds", "How long.", times);
  const auto text = std::move(out).text();
  EXPECT_THAT(text, StartsWith("# HELP troupe_x_seconds How long.\n"
                               "# TYPE troupe_x_seconds histogram\n"
                               "troupe_x_seconds_bucket{le=\"0.00025\"} 1\n"
                               "troupe_x_seconds_bucket{le=\"0.0005\"} 2\n"
                               "troupe_x_seconds_bucket{le=\"0.001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"8.192\"} 2\n"
                              "troupe_x_seconds_bucket{le=\"+Inf\"} 3\n"
                              "troupe_x_seconds_sum 3600.0004\n"
                              "troupe_x_seconds_count 3\n"));
}

} // namespace
} // namespace troupe::app
