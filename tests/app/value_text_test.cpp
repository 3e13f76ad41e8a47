// SPDX-License-Identifier: Apache-2.0
#include "app/value_text.hpp"

#include <gtest/gtest.h>

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsEveryUnitAndSums) {
  EXPECT_EQ(*parse_duration("500us"), 500us);
  EXPECT_EQ(*parse_duration("500ms"), 500ms);
  EXPECT_EQ(*parse_duration("10s"), 10s);
  EXPECT_EQ(*parse_duration("5m"), 5min);
  EXPECT_EQ(*parse_duration("28h"), 28h);
  EXPECT_EQ(*parse_duration("30d"), 720h);
  EXPECT_EQ(*parse_duration("1h30m"), 90min);
  EXPECT_EQ(*parse_duration("0"), 0us);
}

TEST(Duration, RefusesWhatIsUnclear) {
  for (const auto* text : {"", "10", "s", "10 s", "-1s", "1.5s", "10S", "1h30",
                           "99999999999999999999s", "300000000000d"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Duration, PrintsWhatItReads) {
  for (const auto* text :
       {"0", "1us", "999ms", "1s", "1m30s", "1d4h", "30d", "1s500ms"})
    EXPECT_EQ(print_duration(*parse_duration(text)), text);
}

TEST(Bytes, ReadsBinaryAndDecimalUnits) {
  EXPECT_EQ(*parse_bytes("4096"), 4096U);
  EXPECT_EQ(*parse_bytes("4KiB"), 4096U);
  EXPECT_EQ(*parse_bytes("64 MiB"), 64U << 20);
  EXPECT_EQ(*parse_bytes("1TiB"), 1ULL << 40);
  EXPECT_EQ(*parse_bytes("2kB"), 2000U);
  EXPECT_EQ(*parse_bytes("2MB"), 2'000'000U);
}

TEST(Bytes, RefusesWhatIsUnclear) {
  for (const auto* text : {"", "KiB", "1.5GiB", "-1", "4K", "4kib",
                           "16777216TiB", "99999999999999999999"})
    EXPECT_FALSE(parse_bytes(text)) << text;
}

TEST(Bytes, PrintsWhatItReads) {
  for (const auto* text : {"0", "1", "1023", "1KiB", "64MiB", "3GiB", "1TiB"})
    EXPECT_EQ(print_bytes(*parse_bytes(text)), text);
}

TEST(Count, AllowsUnderscoresAndNothingElse) {
  EXPECT_EQ(*parse_count("1_000_000"), 1'000'000U);
  for (const auto* text : {"", "-1", "1.0", "0x10", "1e3", "many"})
    EXPECT_FALSE(parse_count(text)) << text;
}

TEST(Flag, KnowsTheUsualWords) {
  for (const auto* text : {"true", "TRUE", "yes", "on", "1"})
    EXPECT_TRUE(*parse_flag(text)) << text;
  for (const auto* text : {"false", "no", "Off", "0"})
    EXPECT_FALSE(*parse_flag(text)) << text;
  for (const auto* text : {"", "2", "enable"})
    EXPECT_FALSE(parse_flag(text)) << text;
}

TEST(List, SplitsAtCommasAndTrims) {
  EXPECT_EQ(parse_list("a, b ,,c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(parse_list(" ").empty());
  EXPECT_EQ(print_list({"a", "b"}), "a,b");
}

TEST(Network, IsAnAddressOrCidr) {
  for (const auto* text : {"10.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"})
    EXPECT_TRUE(check_network(text)) << text;
  for (const auto* text : {"", "10.0.0.0/33", "example.org", "fd00::/129"})
    EXPECT_FALSE(check_network(text)) << text;
}

TEST(Choice, NamesTheChoicesAndTheNearest) {
  const auto names = choices(log_format{});
  EXPECT_EQ(*parse_choice("JSON", names), 1U);
  const auto wrong = parse_choice("jsno", names);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().detail,
            "'jsno' is none of text, json; did you mean 'json'?");
}

} // namespace
} // namespace troupe::app
