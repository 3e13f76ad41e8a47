// SPDX-License-Identifier: Apache-2.0
#include "app/settings_table.hpp"

#include <gtest/gtest.h>

#include <set>

namespace troupe::app {
namespace {

const setting& row(std::string_view name) {
  const auto* found = find_setting(name);
  TROUPE_ASSERT(found != nullptr, "the test names no setting");
  return *found;
}

TEST(SettingsTable, NamesEachSettingOnceAndInItsSection) {
  std::set<std::string> names;
  std::size_t part = 0;
  for (const auto& each : all_settings()) {
    EXPECT_TRUE(names.insert(name_of(each)).second) << name_of(each);
    while (part < all_sections().size() &&
           all_sections()[part].name != each.section)
      ++part;
    ASSERT_LT(part, all_sections().size()) << name_of(each);
  }
}

TEST(SettingsTable, PointsEachRowAtAMemberOfItsOwn) {
  settings values;
  std::set<const void*> members;
  for (const auto& each : all_settings())
    EXPECT_TRUE(members
                    .insert(std::visit(
                        [](auto* at) { return static_cast<const void*>(at); },
                        each.access(values)))
                    .second)
        << name_of(each);
}

TEST(SettingsTable, EveryDefaultIsValidAndSurvivesItsText) {
  const settings built_in;
  for (const auto& each : all_settings()) {
    settings copy;
    const auto text = print(each, built_in);
    EXPECT_TRUE(assign(each, copy, text)) << name_of(each) << " " << text;
    EXPECT_EQ(print(each, copy), text) << name_of(each);
    EXPECT_FALSE(each.help.empty());
    EXPECT_EQ(each.help.back(), '.') << name_of(each);
  }
}

TEST(SettingsTable, HasAVariableForEachRow) {
  EXPECT_EQ(environment_name(row("listen.public")), "TROUPE_LISTEN__PUBLIC");
  EXPECT_EQ(environment_name(row("mq.login_timeout")),
            "TROUPE_MQ__LOGIN_TIMEOUT");
}

TEST(SettingsTable, KeepsTheOldValueWhenTheNewOneIsWrong) {
  settings values;
  EXPECT_FALSE(assign(row("cluster.shards"), values, "0"));
  EXPECT_FALSE(assign(row("cluster.shards"), values, "4097"));
  EXPECT_FALSE(assign(row("cluster.shards"), values, "many"));
  EXPECT_EQ(values.cluster.shards, 16U);
  EXPECT_TRUE(assign(row("cluster.shards"), values, "4096"));
  EXPECT_EQ(values.cluster.shards, 4096U);
}

TEST(SettingsTable, SaysTheRangeThatWasLeft) {
  settings values;
  EXPECT_EQ(assign(row("mq.retry_interval"), values, "1ms").error().detail,
            "'1ms' is out of range: 100ms to 1d");
  EXPECT_EQ(assign(row("storage.segment_bytes"), values, "1").error().detail,
            "'1' is out of range: 1MiB to 16GiB");
}

TEST(SettingsTable, RefusesFractionsOfAMillisecondWhereTheyCannotCount) {
  settings values;
  EXPECT_FALSE(assign(row("mq.retry_interval"), values, "100500us"));
  EXPECT_TRUE(assign(row("node.spin"), values, "50us"));
  EXPECT_EQ(values.node.spin, std::chrono::microseconds{50});
}

TEST(SettingsTable, ReadsEveryTypeFromText) {
  settings values;
  EXPECT_TRUE(assign(row("ws.deflate"), values, "on"));
  EXPECT_TRUE(values.ws.deflate);
  EXPECT_TRUE(assign(row("listen.mq"), values, "[::1]:8008"));
  EXPECT_EQ(values.listen.mq, (endpoint{"::1", 8008}));
  EXPECT_TRUE(assign(row("listen.mq"), values, "off"));
  EXPECT_FALSE(values.listen.mq);
  EXPECT_TRUE(assign(row("ws.origins"), values, "https://a, https://b"));
  EXPECT_EQ(values.ws.origins.size(), 2U);
  EXPECT_TRUE(assign(row("inbox.overflow"), values, "drop_oldest"));
  EXPECT_EQ(values.inbox.overflow, overflow_policy::drop_oldest);
  EXPECT_TRUE(assign(row("tls.min_version"), values, "1.3"));
  EXPECT_EQ(values.tls.min_version, tls_version::tls_1_3);
}

TEST(SettingsTable, AListenerOfMqttDoesAsOthersUnlessItIsToldOtherwise) {
  settings values;
  EXPECT_EQ(print(row("mqtt.denied_mqtts"), values), "default");
  EXPECT_TRUE(assign(row("mqtt.denied"), values, "answer"));
  EXPECT_TRUE(assign(row("mqtt.denied_mqtts"), values, "silent"));
  EXPECT_EQ(values.mqtt.denied, net::mqtt::denial_policy::answer);
  EXPECT_EQ(values.mqtt.denied_mqtts, listener_denial::silent);
  EXPECT_EQ(values.mqtt.denied_mqtt, listener_denial::as_others);
  EXPECT_FALSE(assign(row("mqtt.denied_public"), values, "loud"));
}

TEST(SettingsTable, WritesTomlThatQuotesWhatNeedsQuotes) {
  settings values;
  values.node.data = "a \"b\"\\\n";
  values.ws.origins = {"x", "y"};
  EXPECT_EQ(print_toml(row("node.data"), values), R"("a \"b\"\\\u000A")");
  EXPECT_EQ(print_toml(row("ws.origins"), values), R"(["x", "y"])");
  EXPECT_EQ(print_toml(row("ws.deflate"), values), "false");
  EXPECT_EQ(print_toml(row("cluster.shards"), values), "16");
  EXPECT_EQ(print_toml(row("mq.message_bytes_max"), values), "\"20MiB\"");
}

TEST(SettingsTable, TellsWhatChanged) {
  settings a;
  settings b;
  EXPECT_TRUE(differences(a, b).empty());
  b.log.level = log_level::debug;
  b.mq.window_max = 7;
  const auto rows = differences(a, b);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(name_of(*rows[0]), "mq.window_max");
  EXPECT_EQ(name_of(*rows[1]), "log.level");
}

} // namespace
} // namespace troupe::app
