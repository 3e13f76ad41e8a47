// SPDX-License-Identifier: Apache-2.0
// What a client is sent.
#include "tests/net/mqtt/gate_client.hpp"

namespace troupe::net::mqtt {
namespace {

using test::client;
using test::limited;
using test::q0;
using test::q1;
using test::q2;

TEST(MqttDeliver, TheLowerOfBothQosCounts) {
  for (const auto wanted : {q0, q1, q2}) {
    for (const auto said : {q0, q1, q2}) {
      client it;
      it.hear("a", wanted);
      it.take();
      it.publish_here("a", "x", said);
      const auto level = static_cast<int>(std::min(wanted, said));
      EXPECT_EQ(it.take(),
                lines{level == 0 ? "PUBLISH a x"
                                 : "PUBLISH a x qos" + std::to_string(level) +
                                       " id=1"});
    }
  }
}

TEST(MqttDeliver, OverlappingSubscriptionsGetItOnce) {
  client it;
  it.hear("a/+", q0, 1);
  it.hear("a/#", q2, 2);
  it.hear("a/b", q1, 3);
  it.take();
  it.publish_here("a/b", "x", q2);
  EXPECT_EQ(it.take(), lines{"PUBLISH a/b x qos2 id=1 sub=1 sub=2 sub=3"});
}

TEST(MqttDeliver, NoLocalKeepsAwayWhatTheClientSaid) {
  client it;
  subscribe asked;
  asked.id = packet_id{1};
  asked.filters.push_back({"a", q0, true});
  asked.filters.push_back({"b", q0});
  it.say(asked);
  it.take();
  it.tell("a", "mine");
  it.tell("b", "mine");
  it.turn();
  EXPECT_EQ(it.take(), lines{"PUBLISH b mine"});
  it.publish_here("a", "theirs");
  EXPECT_EQ(it.take(), lines{"PUBLISH a theirs"});
}

TEST(MqttDeliver, RetainAsPublishedOnlyForWhoAsks) {
  for (const bool asks : {false, true}) {
    client it;
    subscribe asked;
    asked.id = packet_id{1};
    asked.filters.push_back({"a", q0, false, asks});
    it.say(asked);
    it.take();
    it.deliver(publication_of(*parse_topic("a"), q0, true, {}, {}));
    EXPECT_EQ(it.take(), lines{asks ? "PUBLISH a  retain" : "PUBLISH a "});
  }
}

TEST(MqttDeliver, NoMoreIsUnderWayThanTheClientTakes) {
  client it{limited(2)};
  it.hear("a", q2);
  it.take();
  for (const char* each : {"1", "2", "3", "4"})
    it.publish_here("a", each, q1);
  EXPECT_EQ(it.take(),
            (lines{"PUBLISH a 1 qos1 id=1", "PUBLISH a 2 qos1 id=2"}));
  it.answer<puback>(1);
  EXPECT_EQ(it.take(), lines{"PUBLISH a 3 qos1 id=3"});
  it.answer<puback>(3);
  it.answer<puback>(2);
  EXPECT_EQ(it.take(), lines{"PUBLISH a 4 qos1 id=4"});
}

TEST(MqttDeliver, NothingElseWaitsForAFullWindow) {
  client it{limited(1)};
  it.hear("a", q1);
  it.take();
  it.publish_here("a", "1", q1);
  it.publish_here("a", "2", q1);
  it.publish_here("a", "0", q0);
  it.say(pingreq{});
  it.tell("b", "x", q1, 9);
  EXPECT_EQ(it.take(), (lines{"PUBLISH a 1 qos1 id=1", "PUBLISH a 0",
                              "PINGRESP", "PUBACK 9"}));
}

TEST(MqttDeliver, Qos2IsUnderWayUntilItIsComplete) {
  client it{limited(1)};
  it.hear("a", q2);
  it.take();
  it.publish_here("a", "1", q2);
  it.publish_here("a", "2", q2);
  EXPECT_EQ(it.take(), lines{"PUBLISH a 1 qos2 id=1"});
  it.answer<pubrec>(1);
  EXPECT_EQ(it.take(), lines{"PUBREL 1"});
  it.answer<pubrec>(1);
  EXPECT_EQ(it.take(), lines{"PUBREL 1"});
  it.answer<pubcomp>(1);
  EXPECT_EQ(it.take(), lines{"PUBLISH a 2 qos2 id=2"});
  it.answer<pubrec>(2, reason_code::quota_exceeded);
  EXPECT_EQ(it.take(), lines{});
  it.publish_here("a", "3", q2);
  EXPECT_EQ(it.take(), lines{"PUBLISH a 3 qos2 id=3"});
}

TEST(MqttDeliver, WhatIsSentForTheFirstTimeIsNoDuplicate) {
  client it{limited(1)};
  it.hear("a", q2);
  it.take();
  for (const auto level : {q0, q1, q2, q1, q2}) // most of them wait
    it.publish_here("a", "x", level);
  for (std::uint16_t id = 1; id <= 4; ++id) {
    for (const auto& line : it.take())
      EXPECT_EQ(line.find("again"), std::string::npos) << line;
    if (id % 2 == 1) {
      it.answer<puback>(id);
    } else {
      it.answer<pubrec>(id);
      it.answer<pubcomp>(id);
    }
  }
  EXPECT_EQ(it.stats.sent_qos1 + it.stats.sent_qos2, 4U);
}

TEST(MqttDeliver, WhatIsUnderWayDoesNotExpire) {
  client it{limited(1)};
  it.hear("a", q2);
  it.take();
  message_properties properties;
  properties.expiry = seconds{10};
  it.publish_here("a", "1", q2, properties);
  EXPECT_EQ(it.take(), lines{"PUBLISH a 1 qos2 id=1"});
  it.pass(core::milliseconds{60'000});
  it.answer<pubrec>(1);
  EXPECT_EQ(it.take(), lines{"PUBREL 1"});
  it.pass(core::milliseconds{60'000});
  it.answer<pubcomp>(1);
  EXPECT_EQ(it.stats.dropped_expired, 0U);
  it.publish_here("a", "2", q2, properties);
  EXPECT_EQ(it.take(), lines{"PUBLISH a 2 qos2 id=2"});
}

TEST(MqttDeliver, WhatOneWhoSharesRefusesIsOver) {
  client it{limited(1)};
  it.can.shared = true;
  it.hear("$share/g/a", q2);
  it.take();
  for (const auto level : {q1, q2}) {
    it.publish_here("a", "refused", level);
    it.publish_here("a", "next", q1);
    const auto first = it.take();
    ASSERT_EQ(first.size(), 1U);
    const auto id = static_cast<std::uint16_t>(level == q1 ? 1 : 3);
    if (level == q1)
      it.answer<puback>(id, reason_code::unspecified_error);
    else
      it.answer<pubrec>(id, reason_code::unspecified_error);
    EXPECT_EQ(it.take(),
              lines{"PUBLISH a next qos1 id=" + std::to_string(id + 1)});
    it.answer<puback>(static_cast<std::uint16_t>(id + 1));
  }
  EXPECT_EQ(it.published, lines{}); // by nobody anew
  EXPECT_EQ(it.take_asked(), lines{});
}

TEST(MqttDeliver, AnAnswerOfTheWrongKindEndsIt) {
  struct row {
    qos level;
    any_packet answer;
  };
  const auto id = packet_id{1};
  for (const auto& [level, answer] : std::vector<row>{{q1, pubrec{{id}}},
                                                      {q1, pubcomp{{id}}},
                                                      {q2, puback{{id}}},
                                                      {q2, pubcomp{{id}}}}) {
    client it;
    it.hear("a", q2);
    it.publish_here("a", "1", level);
    it.take();
    it.say(answer);
    EXPECT_EQ(it.take(), lines{"DISCONNECT 0x82"});
  }
}

TEST(MqttDeliver, AnswersToNothingDoNoHarm) {
  client it;
  it.answer<puback>(7);
  it.answer<pubcomp>(7);
  EXPECT_EQ(it.take(), lines{});
  it.answer<pubrec>(7);
  EXPECT_EQ(it.take(), lines{"PUBREL 7 0x92"});
}

TEST(MqttDeliver, IdsAreUsedInTurnAndNeverTwiceAtOnce) {
  client it;
  it.hear("a", q1);
  it.take();
  it.publish_here("a", "first", q1); // keeps id 1
  it.take();
  for (int i = 0; i < 65'534; ++i) {
    it.publish_here("a", "x", q1);
    const auto said = it.take();
    ASSERT_EQ(said.size(), 1U) << i;
    ASSERT_EQ(said[0], "PUBLISH a x qos1 id=" + std::to_string(i + 2));
    it.answer<puback>(static_cast<std::uint16_t>(i + 2));
  }
  it.publish_here("a", "waits", q1);
  EXPECT_EQ(it.take(), lines{});
  it.answer<puback>(1);
  EXPECT_EQ(it.take(), lines{"PUBLISH a waits qos1 id=1"});
}

TEST(MqttDeliver, WhoIsSlowLosesQos0AndKeepsTheRest) {
  client it;
  it.hear("a", q1);
  it.take();
  it.unsent = it.options.backlog_bytes_max + 1;
  it.publish_here("a", "lost");
  it.publish_here("a", "kept", q1);
  EXPECT_EQ(it.take(), lines{});
  EXPECT_EQ(it.stats.dropped_slow, 1U);
  it.unsent = 0;
  it.subject.on_room();
  EXPECT_EQ(it.take(), lines{"PUBLISH a kept qos1 id=1"});
}

TEST(MqttDeliver, AFullQueueGoesByThePolicy) {
  for (const auto policy : {overflow_policy::drop, overflow_policy::close}) {
    mqtt_options how;
    how.queue_messages_max = 1;
    how.queue_full = policy;
    client it{limited(1), how};
    it.hear("a", q1);
    it.take();
    for (const char* each : {"1", "2", "3"})
      it.publish_here("a", each, q1);
    if (policy == overflow_policy::close) {
      EXPECT_EQ(it.take(), (lines{"PUBLISH a 1 qos1 id=1", "DISCONNECT 0x97"}));
      EXPECT_TRUE(it.closed);
      continue;
    }
    EXPECT_EQ(it.stats.dropped_queue_full, 1U);
    it.take();
    it.answer<puback>(1);
    EXPECT_EQ(it.take(), lines{"PUBLISH a 2 qos1 id=2"});
  }
}

TEST(MqttDeliver, AMessageThatWaitedTooLongDoesNotGo) {
  client it{limited(1)};
  it.hear("a", q1);
  it.take();
  message_properties properties;
  properties.expiry = seconds{10};
  it.publish_here("a", "1", q1);
  it.publish_here("a", "2", q1, properties);
  it.publish_here("a", "3", q1, properties);
  it.take();
  it.pass(core::milliseconds{4'000});
  it.answer<puback>(1);
  EXPECT_EQ(it.take(), lines{"PUBLISH a 2 qos1 id=2 age=4"});
  it.pass(core::milliseconds{6'000});
  it.answer<puback>(2);
  EXPECT_EQ(it.take(), lines{});
  EXPECT_EQ(it.stats.dropped_expired, 1U);
}

TEST(MqttDeliver, WhatIsTooLargeForTheClientDoesNotGo) {
  connect asked = limited(1);
  asked.maximum_packet_size = 100;
  client it{asked};
  it.hear("a", q1);
  it.take();
  it.publish_here("a", std::string(101, 'x'), q1);
  it.publish_here("a", "small", q1);
  EXPECT_EQ(it.take(), lines{"PUBLISH a small qos1 id=2"});
  EXPECT_EQ(it.stats.dropped_too_large, 1U);
}

TEST(MqttDeliver, LongTopicsGetAliases) {
  connect asked = limited(10);
  asked.topic_alias_maximum = 2;
  client it{asked};
  it.hear("#");
  it.take();
  const std::string a = "a/topic/of/some/length/a";
  const std::string b = "a/topic/of/some/length/b";
  const std::string c = "a/topic/of/some/length/c";
  for (const auto& each : {a, a, b, c, b})
    it.publish_here(each, "x");
  it.publish_here("short", "x");
  EXPECT_EQ(
      it.take(),
      (lines{"PUBLISH " + a + " x alias=1", "PUBLISH " + a + " x known-as=1",
             "PUBLISH " + b + " x alias=2", "PUBLISH " + c + " x",
             "PUBLISH " + b + " x known-as=2", "PUBLISH short x"}));
  for (int i = 0; i < 10; ++i)
    it.publish_here(b, "x");
  it.take();
  it.publish_here(c, "x");
  it.publish_here(a, "x");
  EXPECT_EQ(it.take(),
            (lines{"PUBLISH " + c + " x alias=1", "PUBLISH " + a + " x"}));
}

} // namespace
} // namespace troupe::net::mqtt
