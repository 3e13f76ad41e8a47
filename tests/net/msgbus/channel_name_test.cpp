// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/channel_name.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace troupe::net::msgbus {
namespace {

using namespace std::string_literals;

std::string text_of(std::string_view channel) {
  const auto name = topic_of(channel);
  return name ? name->text() : "refused";
}

TEST(ChannelName, LevelsLieBetweenSlashes) {
  EXPECT_EQ(text_of("foo"), "foo");
  EXPECT_EQ(text_of("foo/bar"), "foo/bar");
  EXPECT_EQ(text_of(""), "");
  EXPECT_EQ(text_of("//a/"), "//a/");
}

TEST(ChannelName, WildcardsOfOthersArePlainBytes) {
  EXPECT_EQ(text_of("a+b/#"), "a%2Bb/%23");
  EXPECT_EQ(text_of("*"), "%2A");
  const auto only = filter_of("+/#");
  ASSERT_TRUE(only);
  EXPECT_TRUE(only->is_exact());
  EXPECT_FALSE(only->matches(*topic_of("a/b")));
  EXPECT_TRUE(only->matches(*topic_of("+/#")));
}

TEST(ChannelName, NothingIsDecoded) {
  EXPECT_EQ(text_of("a%20b"), "a%2520b");
  EXPECT_EQ(channel_of(*topic_of("a%20b")), "a%20b");
}

TEST(ChannelName, ADollarDoesNotReachTheBrokersOwnTopics) {
  EXPECT_EQ(text_of("$SYS/x"), "%01$SYS/x");
  EXPECT_EQ(channel_of(*topic_of("$SYS/x")), "$SYS/x");
  // Further down it means nothing.
  EXPECT_EQ(text_of("a/$SYS"), "a/$SYS");
}

TEST(ChannelName, TheRootHearsAllButTheBrokersOwnTopics) {
  const auto all = filter_of("");
  ASSERT_TRUE(all);
  for (const auto* channel : {"", "a", "a/b", "//", "$x", "+", "\xff\xfe"})
    EXPECT_TRUE(all->matches(*topic_of(channel))) << channel;
  EXPECT_FALSE(all->matches(*core::topic::parse("$SYS/load")));
}

TEST(ChannelName, DifferentChannelsAreDifferentTopicsAndComeBack) {
  std::set<std::string> texts;
  const std::string channels[] = {"",
                                  "/",
                                  "//",
                                  "a",
                                  "a/",
                                  "/a",
                                  "A",
                                  "$",
                                  "\x01$",
                                  "\x01\x01$",
                                  "%01$",
                                  "a b",
                                  "%2F",
                                  "\xff",
                                  "\xc3\xa4",
                                  "a/\x01",
                                  "\x01",
                                  "\x01"
                                  "a"};
  for (const auto& channel : channels)
    EXPECT_TRUE(texts.insert(text_of(channel)).second) << channel;
  for (const auto* channel : {"", "/", "//", "a/", "$", "a%2Fb", "\xff/+#*"})
    EXPECT_EQ(channel_of(*topic_of(channel)), channel);
}

TEST(ChannelName, BytesOfOtherDoorsMakeNoLinesAndNoSlashes) {
  const std::string_view levels[] = {"a\r\nX: y", "b/c", "d?e", "f g"};
  EXPECT_EQ(channel_of(*core::topic::of(levels)),
            "a%0D%0AX:%20y/b%2Fc/d%3Fe/f%20g");
}

TEST(ChannelName, TooDeepOrTooLongIsRefused) {
  EXPECT_EQ(topic_of(std::string(200, '/')).error().code,
            core::errc::too_large);
  EXPECT_EQ(filter_of(std::string(5000, 'a')).error().code,
            core::errc::too_large);
}

} // namespace
} // namespace troupe::net::msgbus
