// SPDX-License-Identifier: Apache-2.0
// What a client publishes.
#include "tests/net/mqtt/gate_driver.hpp"

namespace troupe::net::mqtt {
namespace {

using core::deny_reason;

/// A gate whose client has come in.
struct client : gate_driver {
  explicit client(version by = version::v5, mqtt_options how = {})
      : gate_driver(std::move(how)) {
    come(by);
    take();
  }
};

TEST(MqttPublish, IsAnsweredByItsQos) {
  client it;
  it.tell("a", "0");
  EXPECT_EQ(it.take(), lines{});
  it.tell("a", "1", qos::at_least_once, 5);
  EXPECT_EQ(it.take(), lines{"PUBACK 5"});
  it.tell("a", "2", qos::exactly_once, 6);
  EXPECT_EQ(it.take(), lines{"PUBREC 6"});
  it.answer<pubrel>(6);
  EXPECT_EQ(it.take(), lines{"PUBCOMP 6"});
  EXPECT_EQ(it.published, (lines{"a 0", "a 1", "a 2"}));
}

TEST(MqttPublish, OfQos2IsTakenOnceUntilItIsReleased) {
  client it;
  it.tell("a", "x", qos::exactly_once, 6);
  it.tell("a", "x", qos::exactly_once, 6);
  EXPECT_EQ(it.take(), (lines{"PUBREC 6", "PUBREC 6"}));
  EXPECT_EQ(it.published, lines{"a x"});
  it.answer<pubrel>(6);
  it.tell("a", "y", qos::exactly_once, 6);
  EXPECT_EQ(it.published, (lines{"a x", "a y"}));
}

TEST(MqttPublish, ReleasesWhatIsNotThereByTheVersionsWords) {
  client it;
  it.answer<pubrel>(9);
  EXPECT_EQ(it.take(), lines{"PUBCOMP 9 0x92"});
  client old{version::v3_1_1};
  old.answer<pubrel>(9);
  EXPECT_EQ(old.take(), lines{"PUBCOMP 9"});
}

TEST(MqttPublish, AnswersKeepTheOrderOfThePublications) {
  client it;
  it.outcome = publish_state::pending;
  it.tell("a", "1", qos::at_least_once, 1);
  it.tell("a", "2", qos::exactly_once, 2);
  it.outcome = publish_state::done;
  it.tell("a", "3", qos::at_least_once, 3);
  EXPECT_EQ(it.take(), lines{});
  it.subject.on_published(it.tickets[1], reason_code::success);
  EXPECT_EQ(it.take(), lines{});
  it.subject.on_published(it.tickets[0], reason_code::quota_exceeded);
  EXPECT_EQ(it.take(), (lines{"PUBACK 1 0x97", "PUBREC 2", "PUBACK 3"}));
}

TEST(MqttPublish, RepeatedWhileItsAnswerIsDueIsAnsweredOnce) {
  client it;
  it.outcome = publish_state::pending;
  it.tell("a", "x", qos::exactly_once, 2);
  it.tell("a", "x", qos::exactly_once, 2);
  it.subject.on_published(it.tickets.at(0), reason_code::success);
  EXPECT_EQ(it.take(), lines{"PUBREC 2"});
  EXPECT_EQ(it.published.size(), 1U);
}

TEST(MqttPublish, ManyAnswersThatWaitStopTheReading) {
  client it{version::v3_1_1};
  it.outcome = publish_state::pending;
  for (std::uint16_t i = 1; i <= 1024; ++i) {
    EXPECT_FALSE(it.subject.paused());
    it.tell("a", "x", qos::at_least_once, i);
  }
  EXPECT_TRUE(it.subject.paused());
  it.subject.on_published(it.tickets.front(), reason_code::success);
  EXPECT_FALSE(it.subject.paused());
}

TEST(MqttPublish, AFailureHasNoWordBefore5) {
  client it{version::v3_1_1};
  it.outcome = publish_state::refused;
  it.tell("a", "x", qos::at_least_once, 1);
  EXPECT_EQ(it.take(), lines{});
  EXPECT_TRUE(it.closed);
  client now;
  now.outcome = publish_state::refused;
  now.tell("a", "x", qos::exactly_once, 1);
  EXPECT_EQ(now.take(), lines{"PUBREC 1 0x97"});
  now.outcome = publish_state::done;
  now.tell("a", "x", qos::exactly_once, 1);
  EXPECT_EQ(now.take(), lines{"PUBREC 1"});
}

TEST(MqttPublish, WhatCantBeTakenNowEndsItBefore5) {
  for (const auto level : {qos::at_least_once, qos::exactly_once}) {
    client old{version::v3_1_1};
    old.outcome = publish_state::failed;
    old.tell("a", "x", level, 1);
    EXPECT_EQ(old.take(), lines{});
    EXPECT_TRUE(old.closed);
    // Late, it is no different.
    client late{version::v3_1_1};
    late.outcome = publish_state::pending;
    late.tell("a", "x", level, 1);
    late.subject.on_published(late.tickets.at(0),
                              reason_code::implementation_specific_error);
    EXPECT_EQ(late.take(), lines{});
    EXPECT_TRUE(late.closed);
  }
  client now;
  now.outcome = publish_state::failed;
  now.tell("a", "x", qos::at_least_once, 1);
  EXPECT_EQ(now.take(), lines{"PUBACK 1 0x83"});
}

TEST(MqttPublish, OfQos2IsCompletedThoughItHasExpired) {
  client it;
  publish said;
  said.topic = "a";
  said.level = qos::exactly_once;
  said.id = packet_id{4};
  said.properties.expiry = seconds{1};
  it.say(said);
  EXPECT_EQ(it.take(), lines{"PUBREC 4"});
  it.pass(core::milliseconds{5000});
  it.say(said);
  EXPECT_EQ(it.take(), lines{"PUBREC 4"});
  it.answer<pubrel>(4);
  EXPECT_EQ(it.take(), lines{"PUBCOMP 4"});
  EXPECT_EQ(it.published.size(), 1U);
}

TEST(MqttPublish, MoreThanTheReceiveMaximumEndsIt) {
  mqtt_options how;
  how.receive_maximum = 2;
  client it{version::v5, how};
  it.tell("a", "x", qos::exactly_once, 1);
  it.tell("a", "x", qos::exactly_once, 2);
  it.tell("a", "x", qos::at_most_once);
  it.take();
  it.tell("a", "x", qos::at_least_once, 3);
  EXPECT_EQ(it.take(), lines{"DISCONNECT 0x93"});
  client other{version::v5, how};
  for (std::uint16_t i = 1; i <= 10; ++i) {
    other.tell("a", "x", qos::exactly_once, i);
    other.answer<pubrel>(i);
  }
  EXPECT_FALSE(other.closed);
}

TEST(MqttPublish, TopicAliasesStandForTopics) {
  client it;
  publish said;
  said.topic = "some/topic";
  said.topic_alias = 3;
  it.say(said);
  said.topic = "";
  it.say(said);
  EXPECT_EQ(it.published, (lines{"some/topic ", "some/topic "}));
  said.topic = "another";
  it.say(said);
  said.topic = "";
  it.say(said);
  EXPECT_EQ(it.published.back(), "another ");
  said.topic_alias = 4;
  it.say(said);
  EXPECT_EQ(it.take(), lines{"DISCONNECT 0x82"});
}

TEST(MqttPublish, AliasesEndWithTheConnection) {
  publish said;
  said.topic = "some/topic";
  said.topic_alias = 3;
  client before;
  before.say(said);
  said.topic = "";
  before.say(said);
  EXPECT_EQ(before.take(), lines{});
  client after;
  after.say(said);
  EXPECT_EQ(after.take(), lines{"DISCONNECT 0x82"});
  EXPECT_EQ(after.published, lines{});
}

TEST(MqttPublish, AnAliasAboveTheMaximumEndsIt) {
  client it;
  publish said;
  said.topic = "a";
  said.topic_alias = 65;
  it.say(said);
  EXPECT_EQ(it.take(), lines{"DISCONNECT 0x94"});
}

TEST(MqttPublish, RetainIsRefusedOnlyWhereThatCanBeSaid) {
  publish said;
  said.topic = "a";
  said.retain = true;
  client it;
  it.say(said);
  EXPECT_EQ(it.take(), lines{"DISCONNECT 0x9A"});
  client old{version::v3_1_1};
  old.say(said);
  EXPECT_EQ(old.published, lines{"a "});
  EXPECT_FALSE(old.closed);
}

TEST(MqttPublish, WhatIsNotPermittedGoesByThePolicy) {
  struct row {
    version by;
    denial_policy policy;
    qos level;
    const char* answer;
    bool closed;
  };
  using enum denial_policy;
  constexpr auto q0 = qos::at_most_once;
  constexpr auto q1 = qos::at_least_once;
  constexpr auto q2 = qos::exactly_once;
  for (const auto& each : std::vector<row>{
           {version::v5, close, q0, "DISCONNECT 0x87", true},
           {version::v5, close, q1, "DISCONNECT 0x87", true},
           {version::v3_1_1, close, q1, "", true},
           {version::v5, answer, q0, "", false},
           {version::v5, answer, q1, "PUBACK 7 0x87", false},
           {version::v5, answer, q2, "PUBREC 7 0x87", false},
           {version::v3_1_1, answer, q1, "PUBACK 7", false},
           {version::v5, silent, q1, "PUBACK 7", false},
           {version::v5, silent, q2, "PUBREC 7", false},
       }) {
    mqtt_options how;
    how.denied = each.policy;
    client it{each.by, how};
    it.denied.insert("publish:secret");
    it.tell("secret", "x", each.level,
            static_cast<std::uint16_t>(each.level == q0 ? 0 : 7));
    const std::string said{each.answer};
    EXPECT_EQ(it.take(), said.empty() ? lines{} : lines{said});
    EXPECT_EQ(it.closed, each.closed);
    EXPECT_EQ(it.published, lines{});
    EXPECT_EQ(it.refusals, lines{"publish secret not_granted"});
  }
}

TEST(MqttPublish, WhoIsTooFastIsNotCutIfItCanBeTold) {
  client it;
  it.rate = deny_reason::too_many_messages;
  it.tell("a", "x");
  it.tell("a", "x", qos::at_least_once, 1);
  EXPECT_EQ(it.take(), lines{"PUBACK 1 0x97"});
  EXPECT_FALSE(it.closed);
  EXPECT_EQ(it.stats.refused_publish, 2U);
}

TEST(MqttPublish, TheBrokersOwnTopicsAreNotForClients) {
  client it;
  it.tell("$SYS/a", "x");
  EXPECT_EQ(it.take(), lines{"DISCONNECT 0x87"});
}

TEST(MqttPublish, ATopicBombEndsIt) {
  client it;
  std::string bomb;
  for (int i = 0; i < 10'000; ++i)
    bomb += "a/";
  it.tell(bomb, "x");
  EXPECT_EQ(it.take(), lines{"DISCONNECT 0x90"});
}

TEST(MqttPublish, TextThatIsNoneIsRefused) {
  client it;
  publish said;
  said.topic = "a";
  said.level = qos::at_least_once;
  said.id = packet_id{1};
  said.payload = core::shared_bytes::copy_of("\xff\xfe");
  said.properties.payload_is_text = true;
  it.say(said);
  EXPECT_EQ(it.take(), lines{"PUBACK 1 0x99"});
}

TEST(MqttPublish, WhatItSaysOfItselfCrosses) {
  client it;
  publish said;
  said.topic = "a";
  said.payload = core::shared_bytes::copy_of("x");
  said.level = qos::exactly_once;
  said.id = packet_id{1};
  said.properties.content_type = "text/plain";
  said.properties.expiry = seconds{60};
  said.properties.payload_is_text = true;
  said.properties.response_topic = "answers";
  said.properties.correlation_data = core::shared_bytes::copy_of("\x01\xff");
  said.properties.user = {{"k", "1"}, {":odd", "2"}, {"k", "3"}};
  it.say(said);
  EXPECT_EQ(it.last.content_type, "text/plain");
  using pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(it.last.headers, (pairs{{":qos", "2"},
                                    {":expiry", "60"},
                                    {":text", "1"},
                                    {":response", "answers"},
                                    {":correlation", "\x01\xff"},
                                    {"k", "1"},
                                    {"::odd", "2"},
                                    {"k", "3"}}));
  EXPECT_EQ(properties_of(it.last), said.properties);
}

} // namespace
} // namespace troupe::net::mqtt
