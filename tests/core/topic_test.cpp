// SPDX-License-Identifier: Apache-2.0
#include "core/topic.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace troupe::core;
using texts = std::vector<std::string>;

result<topic> of(std::vector<std::string_view> levels,
                 const topic_limits& limits = {}) {
  return topic::of(levels, limits);
}

TEST(Topic, IsItsLevels) {
  const auto made = of({"home", "kitchen", "light"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->text(), "home/kitchen/light");
  EXPECT_EQ(made->levels(), (texts{"home", "kitchen", "light"}));
  EXPECT_EQ(*topic::parse("home/kitchen/light"), *made);
}

TEST(Topic, MayHaveEmptyLevels) {
  EXPECT_EQ(of({"", "a", ""})->text(), "/a/");
  EXPECT_EQ(topic::parse("/a/")->levels(), (texts{"", "a", ""}));
  EXPECT_EQ(topic{}.levels(), texts{""});
  EXPECT_EQ(*topic::parse(""), topic{});
}

TEST(Topic, SpellsWhatHasAMeaningHere) {
  EXPECT_EQ(of({"a/b", "+", "#", "c*", "50%", "\n\x7F"})->text(),
            "a%2Fb/%2B/%23/c%2A/50%25/%0A%7F");
  EXPECT_EQ(of({"\xC3\xA4 $x.y"})->text(), "\xC3\xA4 $x.y");
}

TEST(Topic, EveryLevelComesBack) {
  std::string all;
  for (int c = 0; c < 256; ++c)
    all += static_cast<char>(c);
  const auto made = of({all, "x"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->levels(), (texts{all, "x"}));
  EXPECT_EQ(*topic::parse(made->text()), *made);
}

TEST(Topic, HasOneSpelling) {
  for (const auto* text : {"a+", "+", "#", "a*", "%", "%4", "%41", "%2f", "%GG",
                           "a%2", "\n", "a/b\x7F"})
    EXPECT_EQ(topic::parse(text).error().code, errc::name_invalid) << text;
}

TEST(Topic, IsBounded) {
  const topic_limits limits{3, 8};
  EXPECT_TRUE(of({"a", "b", "c"}, limits));
  const auto deep = of({"a", "b", "c", "d"}, limits);
  EXPECT_EQ(deep.error().code, errc::too_large);
  EXPECT_NE(deep.error().detail.find("4 levels; 3"), std::string::npos);
  EXPECT_TRUE(topic::parse("12345678", limits));
  const auto longer = topic::parse("123456789", limits);
  EXPECT_EQ(longer.error().code, errc::too_large);
  EXPECT_NE(longer.error().detail.find("9 bytes; 8"), std::string::npos);
  EXPECT_EQ(topic::parse("a/b/c/d", limits).error().code, errc::too_large);
  EXPECT_EQ(of({}).error().code, errc::name_invalid);
}

} // namespace
