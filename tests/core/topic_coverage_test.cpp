// SPDX-License-Identifier: Apache-2.0
#include "core/topic_coverage.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace {

using namespace troupe::core;

topic_filter filter(std::string_view text) {
  return *topic_filter::parse(text);
}
bool covers(std::string_view wide, std::string_view narrow) {
  return troupe::core::covers(filter(wide), filter(narrow));
}

TEST(TopicCoverage, AFilterCoversItself) {
  for (const char* text : {"a", "a/b", "a/+", "+", "#", "a/#", "#/a", "a/#/b",
                           "a/b*", "*", "", "/", "$SYS/#", "$S*", "a/*"})
    EXPECT_TRUE(covers(text, text)) << text;
}

TEST(TopicCoverage, WildcardsCoverWhatTheyMatch) {
  EXPECT_TRUE(covers("#", "a/+/c"));
  EXPECT_TRUE(covers("a/#", "a"));
  EXPECT_TRUE(covers("a/#", "a/*"));
  EXPECT_TRUE(covers("a/+", "a/b"));
  EXPECT_TRUE(covers("a/#/c", "a/+/c"));
  EXPECT_TRUE(covers("a/#/c", "a/b/#/c"));
  EXPECT_TRUE(covers("a/b*", "a/bc/+"));
  EXPECT_TRUE(covers("*", "+/#"));
  EXPECT_TRUE(covers("+/#", "*"));
  EXPECT_TRUE(covers("$S*", "$SYS/load"));
}

TEST(TopicCoverage, NothingIsCoveredByLess) {
  EXPECT_FALSE(covers("a", "b"));
  EXPECT_FALSE(covers("a", "a/b"));
  EXPECT_FALSE(covers("a/+", "a/#"));
  EXPECT_FALSE(covers("a/*", "a/#")); // a itself
  EXPECT_FALSE(covers("+", "#"));
  EXPECT_FALSE(covers("a/b*", "a/+"));
  EXPECT_FALSE(covers("a/bc*", "a/b*"));
  EXPECT_FALSE(covers("a/+/c", "a/#/c"));
  EXPECT_FALSE(covers("#/c", "#"));
}

TEST(TopicCoverage, WildcardsDoNotReachTheBrokersOwnTopics) {
  EXPECT_FALSE(covers("#", "$SYS/load"));
  EXPECT_FALSE(covers("+/load", "$SYS/load"));
  EXPECT_FALSE(covers("*", "$SYS/#"));
  EXPECT_FALSE(covers("#", "$S*"));
  EXPECT_TRUE(covers("$SYS/#", "$SYS/load"));
  EXPECT_TRUE(covers("#", "a/$SYS"));
}

/// Whatever `narrow` matches `wide` matches, whenever it says so; and it says
/// so of nearly all pairs of which it is so.
TEST(TopicCoverage, IsSoundOverRandomFilters) {
  std::vector<topic> topics;
  const std::vector<std::string> levels{"a", "ab", "b", "$x"};
  for (const auto& one : levels) {
    topics.push_back(*topic::parse(one));
    for (const auto& two : levels) {
      topics.push_back(*topic::parse(one + "/" + two));
      for (const auto& three : levels)
        topics.push_back(*topic::parse(one + "/" + two + "/" + three));
    }
  }
  std::mt19937_64 random{7};
  const std::vector<std::string> parts{"a", "ab", "b", "$x", "+",
                                       "#", "a*", "*", "$*"};
  const auto any = [&] {
    for (;;) {
      std::string text = parts[random() % parts.size()];
      for (auto i = random() % 3; i != 0; --i)
        text += "/" + parts[random() % parts.size()];
      if (auto parsed = topic_filter::parse(text))
        return *parsed;
    }
  };
  int yes = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto wide = any();
    const auto narrow = any();
    if (!troupe::core::covers(wide, narrow))
      continue;
    ++yes;
    for (const auto& name : topics)
      ASSERT_TRUE(!narrow.matches(name) || wide.matches(name))
          << wide.text() << " covers " << narrow.text() << " but not "
          << name.text();
  }
  EXPECT_GT(yes, 5'000);
}

} // namespace
