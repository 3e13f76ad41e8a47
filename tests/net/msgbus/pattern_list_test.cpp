// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/pattern_list.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::msgbus {
namespace {

bool passes(std::string list, std::string_view text) {
  return pattern_list{std::move(list)}.passes(text);
}

TEST(PatternList, TheTableOfTheOriginal) {
  const pattern_list list{"text/*,image/*"};
  EXPECT_TRUE(list.passes("text/plain"));
  EXPECT_TRUE(list.passes("text/html"));
  EXPECT_TRUE(list.passes("image/jpeg"));
  EXPECT_FALSE(list.passes("application/json"));
  EXPECT_FALSE(list.passes("TEXT/PLAIN"));
  EXPECT_TRUE(list.passes("text/html; charset=x"));
}

TEST(PatternList, NegationTakesOutInAnyOrder) {
  EXPECT_FALSE(passes("!text/*", "text/plain"));
  EXPECT_FALSE(passes("!text/*", "image/png"));
  for (const auto* list : {"*,!text/*", "!text/*,*"}) {
    EXPECT_FALSE(passes(list, "text/plain")) << list;
    EXPECT_TRUE(passes(list, "image/png")) << list;
  }
}

TEST(PatternList, AStarAloneIsNoFilterAndNothingMatchesNothing) {
  EXPECT_TRUE(pattern_list{}.passes_all());
  EXPECT_TRUE(pattern_list{"*"}.passes_all());
  EXPECT_FALSE(pattern_list{"*,*"}.passes_all());
  EXPECT_TRUE(passes("*,*", ""));
  EXPECT_FALSE(passes("", "text/plain"));
  EXPECT_FALSE(passes("", ""));
}

TEST(PatternList, APatternTooLongFailsTheWholeList) {
  const std::string text(1022, 'a');
  EXPECT_TRUE(passes(text, text));
  EXPECT_TRUE(passes("!" + std::string(1022, 'b') + "," + text, text));
  EXPECT_FALSE(passes(text + "a", text + "a"));
  EXPECT_FALSE(passes("*,x," + std::string(1023, 'b'), "x"));
}

TEST(PatternList, WildcardsStandForBytes) {
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_TRUE(matches_pattern("", "***"));
  EXPECT_FALSE(matches_pattern("", "?"));
  EXPECT_TRUE(matches_pattern("abc", "a?c"));
  EXPECT_TRUE(matches_pattern("abcabd", "*ab?"));
  EXPECT_FALSE(matches_pattern("abcabd", "*abc"));
  EXPECT_TRUE(matches_pattern("a.b.c", "*.*"));
  EXPECT_FALSE(matches_pattern("abc", "ab"));
}

TEST(PatternList, ManyStarsEndSoon) {
  const std::string text(1000, 'a');
  std::string pattern;
  for (int i = 0; i < 500; ++i)
    pattern += "a*";
  EXPECT_FALSE(matches_pattern(text, pattern + "b"));
}

} // namespace
} // namespace troupe::net::msgbus
