// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/topic_spelling.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::net::mqtt {
namespace {

using namespace std::string_literals;

std::string filter_text(std::string_view text) {
  const auto parsed = parse_filter(text);
  return parsed ? parsed->filter.text() : parsed.error().detail;
}

TEST(MqttTopicSpelling, NamesComeBackAsTheyWere) {
  for (const auto name :
       {"a", "/", "/a", "a/", "a//b", "$SYS/x", "50%", "a%2Fb", "a*", "*",
        " a b ", "\x01\x7f", "\xc3\xa4/\xe2\x82\xac", "\xef\xbb\xbf/x"}) {
    const auto topic = parse_topic(name);
    ASSERT_TRUE(topic) << name;
    EXPECT_EQ(name_of(*topic), name);
  }
}

TEST(MqttTopicSpelling, LevelsAreWhatStandsBetweenSlashes) {
  const auto topic = parse_topic("/a%/*/");
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->levels(), (std::vector<std::string>{"", "a%", "*", ""}));
}

TEST(MqttTopicSpelling, NamesThatAreNoneAreRefused) {
  EXPECT_EQ(parse_topic("").error().detail,
            "[MQTT-4.7.3-1] an empty topic name");
  for (const auto name : {"#", "a/+", "a+b"})
    EXPECT_EQ(parse_topic(name).error().detail,
              "[MQTT-3.3.2-2] a wildcard in a topic name");
}

TEST(MqttTopicSpelling, BoundsAreKept) {
  const std::string deep(128, '/');
  EXPECT_EQ(parse_topic(deep).error().code, core::errc::too_large);
  EXPECT_TRUE(parse_topic(deep.substr(1)));
  EXPECT_EQ(parse_filter(deep).error().code, core::errc::too_large);
  EXPECT_TRUE(parse_filter(deep.substr(1)));
  EXPECT_EQ(parse_topic(std::string(4097, 'a')).error().code,
            core::errc::too_large);
  EXPECT_TRUE(parse_topic(std::string(4096, 'a')));
  // A bomb of levels that need the long way.
  EXPECT_EQ(parse_topic(std::string(65535, '*')).error().code,
            core::errc::too_large);
}

TEST(MqttTopicSpelling, FiltersBecomeTheBrokers) {
  EXPECT_EQ(filter_text("a/b"), "a/b");
  EXPECT_EQ(filter_text("#"), "#");
  EXPECT_EQ(filter_text("+"), "+");
  EXPECT_EQ(filter_text("/+/a/#"), "/+/a/#");
  EXPECT_EQ(filter_text("+/+"), "+/+");
  EXPECT_EQ(filter_text("a*"), "a%2A");
  EXPECT_EQ(filter_text("$SYS/#"), "$SYS/#");
}

TEST(MqttTopicSpelling, FiltersThatAreNoneAreRefused) {
  EXPECT_EQ(filter_text(""), "[MQTT-4.7.3-1] an empty topic filter");
  EXPECT_EQ(filter_text("#/a"),
            "[MQTT-4.7.1-1] # before the end of a topic filter");
  EXPECT_EQ(filter_text("a#"), "[MQTT-4.7.1-1] # inside of a level");
  EXPECT_EQ(filter_text("a/##"), "[MQTT-4.7.1-1] # inside of a level");
  EXPECT_EQ(filter_text("a+/b"), "[MQTT-4.7.1-2] + inside of a level");
  EXPECT_EQ(filter_text("++"), "[MQTT-4.7.1-2] + inside of a level");
}

TEST(MqttTopicSpelling, FiltersMatchAsMqttSays) {
  struct {
    std::string_view filter;
    std::string_view topic;
    bool matches;
  } const rows[]{
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"sport/+", "sport", false},
      {"sport/+", "sport/", true},
      {"+/+", "/finance", true},
      {"/+", "/finance", true},
      {"+", "/finance", false},
      {"#", "$SYS/x", false},
      {"+/monitor/Clients", "$SYS/monitor/Clients", false},
      {"$SYS/#", "$SYS/x", true},
      {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
      {"ACCOUNTS", "Accounts", false},
      {"a*", "abc", false},
      {"a/%2F", "a/%2F", true},
  };
  for (const auto& row : rows) {
    const auto filter = parse_filter(row.filter);
    const auto topic = parse_topic(row.topic);
    ASSERT_TRUE(filter && topic);
    EXPECT_EQ(filter->filter.matches(*topic), row.matches)
        << row.filter << " " << row.topic;
  }
}

TEST(MqttTopicSpelling, SharesHaveANameAndAFilter) {
  const auto shared = parse_filter("$share/group/a/+");
  ASSERT_TRUE(shared);
  EXPECT_EQ(shared->share, "group");
  EXPECT_EQ(shared->filter.text(), "a/+");
  const auto root = parse_filter("$share/g//");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->filter.text(), "/");
  EXPECT_EQ(parse_filter("a/b")->share, "");
  EXPECT_EQ(parse_filter("$shared/g/a")->share, "");
  for (const auto text : {"$share", "$share/", "$share//a"})
    EXPECT_EQ(filter_text(text),
              "[MQTT-4.8.2-1] a shared subscription without a name");
  for (const auto text : {"$share/g", "$share/g/"})
    EXPECT_EQ(filter_text(text),
              "[MQTT-4.8.2-2] a shared subscription without a filter");
  for (const auto text : {"$share/g+/a", "$share/#/a"})
    EXPECT_EQ(filter_text(text),
              "[MQTT-4.8.2-2] a wildcard in the name of a share");
}

TEST(MqttTopicSpelling, TopicsOfOtherProtocolsAreEscapedWhereTheyMustBe) {
  auto name = [](std::vector<std::string_view> levels) {
    return name_of(*core::topic::of(levels));
  };
  EXPECT_EQ(name({"a/b", "c"}), "a%2Fb/c");
  EXPECT_EQ(name({"+", "#"}), "%2B/%23");
  EXPECT_EQ(name({std::string_view{"\0", 1}}), "%00");
  EXPECT_EQ(name({"\xff\xfe", "\xc3\xa4"}), "%FF%FE/\xc3\xa4");
  EXPECT_EQ(name({"a\xff"
                  "b"}),
            "a%FFb");
  // Every such name is one that MQTT allows.
  for (const auto& each : {name({"+"}), name({"\xff"})})
    EXPECT_TRUE(parse_topic(each));
}

} // namespace
} // namespace troupe::net::mqtt
