// SPDX-License-Identifier: Apache-2.0
#include "core/topic_filter.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace troupe::core;

bool matches(std::string_view filter, std::string_view name) {
  const auto parsed = topic_filter::parse(filter);
  EXPECT_TRUE(parsed) << filter;
  return parsed->matches(*topic::parse(name));
}

TEST(TopicFilter, WithoutWildcardsIsATopic) {
  EXPECT_TRUE(matches("a/b", "a/b"));
  EXPECT_FALSE(matches("a/b", "a"));
  EXPECT_FALSE(matches("a/b", "a/b/c"));
  EXPECT_FALSE(matches("a/b", "A/b"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_TRUE(topic_filter::parse("a/b")->is_exact());
  EXPECT_EQ(topic_filter{*topic::parse("a/%2B")}.text(), "a/%2B");
  EXPECT_TRUE(topic_filter{*topic::parse("a/%2B")}.is_exact());
}

TEST(TopicFilter, PlusIsOneLevel) {
  EXPECT_TRUE(matches("a/+/c", "a/b/c"));
  EXPECT_TRUE(matches("a/+/c", "a//c"));
  EXPECT_FALSE(matches("a/+/c", "a/c"));
  EXPECT_FALSE(matches("a/+", "a"));
  EXPECT_FALSE(matches("a/+", "a/b/c"));
  EXPECT_TRUE(matches("+", "a"));
  EXPECT_TRUE(matches("+/+", "/"));
}

TEST(TopicFilter, HashAlsoMatchesTheLevelAbove) {
  EXPECT_TRUE(matches("a/#", "a"));
  EXPECT_TRUE(matches("a/#", "a/b"));
  EXPECT_TRUE(matches("a/#", "a/b/c"));
  EXPECT_FALSE(matches("a/#", "ab"));
  EXPECT_TRUE(matches("#", "a/b"));
  EXPECT_TRUE(matches("+/#", "a"));
}

TEST(TopicFilter, HashMayStandAnywhere) {
  EXPECT_TRUE(matches("a/#/z", "a/z"));
  EXPECT_TRUE(matches("a/#/z", "a/b/c/z"));
  EXPECT_FALSE(matches("a/#/z", "a"));
  EXPECT_FALSE(matches("a/#/z", "a/z/b"));
  EXPECT_TRUE(matches("#/+/z", "b/z"));
  EXPECT_FALSE(matches("#/+/z", "z"));
  EXPECT_FALSE(matches("a/#/a", "a"));
}

TEST(TopicFilter, PrefixEndsInALevel) {
  EXPECT_TRUE(matches("com/my*", "com/my"));
  EXPECT_TRUE(matches("com/my*", "com/myapp"));
  EXPECT_TRUE(matches("com/my*", "com/myapp/x/y"));
  EXPECT_FALSE(matches("com/my*", "com"));
  EXPECT_FALSE(matches("com/my*", "com/m"));
  EXPECT_TRUE(matches("com/*", "com/"));
  EXPECT_FALSE(matches("com/*", "com"));
  EXPECT_TRUE(matches("*", "any/thing"));
  EXPECT_TRUE(matches("+/b*", "a/bc"));
}

TEST(TopicFilter, WildcardsPassTheBrokersOwnTopicsOver) {
  for (const auto* filter : {"#", "+/load", "*", "#/load"})
    EXPECT_FALSE(matches(filter, "$SYS/load")) << filter;
  for (const auto* filter : {"$SYS/#", "$SYS/+", "$SYS/load", "$*", "$S*"})
    EXPECT_TRUE(matches(filter, "$SYS/load")) << filter;
  EXPECT_TRUE(matches("a/+", "a/$x"));
}

TEST(TopicFilter, HasOneSpelling) {
  for (const auto* text : {"a+", "#b", "a/#/#", "a*b", "a*/b", "#/a*", "**",
                           "%41*", "%2*", "a/%2b"})
    EXPECT_EQ(topic_filter::parse(text).error().code, errc::name_invalid)
        << text;
}

TEST(TopicFilter, IsBounded) {
  EXPECT_EQ(topic_filter::parse("+/+/+", {2, 100}).error().code,
            errc::too_large);
  EXPECT_EQ(topic_filter::parse("12345", {2, 4}).error().code, errc::too_large);
}

TEST(TopicFilterBuilder, SpellsWhatAProtocolMeans) {
  EXPECT_EQ(topic_filter_builder{}
                .level("a+")
                .any_level()
                .level("")
                .any_levels()
                .build()
                ->text(),
            "a%2B/+//#");
  EXPECT_EQ(
      topic_filter_builder{}.level("com").begins_with("*x").build()->text(),
      "com/%2Ax*");
  EXPECT_EQ(topic_filter_builder{}.begins_with("").build()->text(), "*");
  EXPECT_EQ(topic_filter_builder{}.build().error().code, errc::name_invalid);
  EXPECT_EQ(
      topic_filter_builder{}.begins_with("a").level("b").build().error().code,
      errc::name_invalid);
}

} // namespace
