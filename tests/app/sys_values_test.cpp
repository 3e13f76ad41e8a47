// SPDX-License-Identifier: Apache-2.0
#include "app/sys_values.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

class SysValues : public testing::Test {
protected:
  std::map<std::string, std::string> told() {
    const auto all = values.update(sample, now);
    return {all.begin(), all.end()};
  }

  core::steady_time now{1h};
  sys_values values{"n1", "1.2.3", now};
  sys_sample sample;
};

TEST_F(SysValues, TellsCountsAndUptime) {
  sample.clients = 3;
  sample.clients_ever = 17;
  sample.publish_dropped = 5;
  sample.store_health = 1;
  now += 90s;
  const auto all = told();
  EXPECT_EQ(all.at("version"), "1.2.3");
  EXPECT_EQ(all.at("node"), "n1");
  EXPECT_EQ(all.at("uptime"), "90 seconds");
  EXPECT_EQ(all.at("clients/connected"), "3");
  EXPECT_EQ(all.at("clients/total"), "17");
  EXPECT_EQ(all.at("publish/messages/dropped"), "5");
  EXPECT_EQ(all.at("store/health"), "1");
}

TEST_F(SysValues, HasNoRatesBeforeTheSecondSample) {
  EXPECT_FALSE(told().contains("load/publish/received/1min"));
  now += 10s;
  EXPECT_TRUE(told().contains("load/publish/received/1min"));
}

TEST_F(SysValues, RatesComeCloseToWhatGoesOn) {
  told();
  for (int i = 0; i < 6 * 10; ++i) { // ten minutes of 600 a minute
    now += 10s;
    sample.publish_received += 100;
    told();
  }
  now += 10s;
  sample.publish_received += 100;
  const auto all = told();
  EXPECT_NEAR(std::stod(all.at("load/publish/received/1min")), 600, 1);
  EXPECT_NEAR(std::stod(all.at("load/publish/received/5min")), 600, 90);
  EXPECT_LT(std::stod(all.at("load/publish/received/15min")), 400);
  EXPECT_EQ(all.at("load/publish/sent/1min"), "0.00");
}

TEST_F(SysValues, RatesFallWhenNothingHappensAnyMore) {
  told();
  now += 10s;
  sample.bytes_sent = 6000;
  const auto before = std::stod(told().at("load/bytes/sent/1min"));
  EXPECT_GT(before, 0);
  now += 60s;
  const auto after = std::stod(told().at("load/bytes/sent/1min"));
  EXPECT_NEAR(after, before / 2.718, before / 100);
}

TEST_F(SysValues, ALookBetweenTwoSamplesMovesNoRate) {
  told();
  now += 10s;
  sample.publish_received += 100;
  const auto before = told();
  now += 1s;
  sample.publish_received += 900;
  sample.clients = 7;
  const auto seen = values.peek(sample, now);
  const std::map<std::string, std::string> between{seen.begin(), seen.end()};
  EXPECT_EQ(between.at("clients/connected"), "7");
  EXPECT_EQ(between.at("uptime"), "11 seconds");
  EXPECT_EQ(between.at("load/publish/received/1min"),
            before.at("load/publish/received/1min"));
  const auto again = values.peek(sample, now);
  EXPECT_EQ(seen, again);
}

} // namespace
} // namespace troupe::app
