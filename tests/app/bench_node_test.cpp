// SPDX-License-Identifier: Apache-2.0
#include "app/bench_node.hpp"

#include <gtest/gtest.h>

namespace troupe::app {
namespace {

TEST(BenchMetrics, ReadsSamplesAndSumsLabels) {
  const auto metrics =
      bench_metrics::parse("# HELP a Text 7\n# TYPE a counter\na 5\n"
                           "b{loop=\"0\"} 2\nb{loop=\"1\"} 3\nhalf 0.5\nend 9");
  EXPECT_EQ(metrics.at("a"), 5U);
  EXPECT_EQ(metrics.sum("b"), 5U);
  EXPECT_EQ(metrics.at("b{loop=\"1\"}"), 3U);
  EXPECT_EQ(metrics.at("half"), 0U);
  EXPECT_EQ(metrics.at("end"), 9U);
  EXPECT_EQ(metrics.at("nothing"), 0U);
}

TEST(BenchMetrics, ReportsWhatGrew) {
  const auto before = bench_metrics::parse("troupe_log_syncs_total 10\n"
                                           "troupe_posts_accepted_total 100\n");
  const auto after = bench_metrics::parse("troupe_log_syncs_total 20\n"
                                          "troupe_posts_accepted_total 400\n");
  bench_report report{"post"};
  report_work(report, before, after, 5);
  EXPECT_NE(report.json().find("\"syncs_per_second\": 2.000, "
                               "\"acks_per_sync\": 30.000"),
            std::string::npos);
}

TEST(BenchBody, EndsInItsNumber) {
  EXPECT_EQ(bench_body(5, 42), "...42");
  EXPECT_EQ(bench_body(1, 42), "42");
}

} // namespace
} // namespace troupe::app
