// SPDX-License-Identifier: Apache-2.0
#include "app/bench_report.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace troupe::app {
namespace {

TEST(BenchReport, IsOneLineOfJsonInOrder) {
  bench_report report{"post"};
  report.count("acks", 3);
  report.number("rate", 1.5);
  report.text("note", "a \"b\"");
  EXPECT_EQ(report.json(), "{\"mode\": \"post\", \"acks\": 3, \"rate\": 1.500, "
                           "\"note\": \"a \\\"b\\\"\"}\n");
}

TEST(BenchReport, AlignsItsTable) {
  bench_report report{"post"};
  report.number("per_second", 1234.56);
  EXPECT_EQ(report.table(), "mode        post\n"
                            "per_second  1234.6\n");
}

TEST(BenchReport, ShowsNoNumberThatIsNone) {
  bench_report report{"x"};
  report.number("rate", std::numeric_limits<double>::infinity());
  EXPECT_EQ(report.json(), "{\"mode\": \"x\", \"rate\": 0.000}\n");
}

} // namespace
} // namespace troupe::app
