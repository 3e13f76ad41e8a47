// SPDX-License-Identifier: Apache-2.0
// What a client subscribes to, and what it is sent.
#include "tests/net/mqtt/gate_driver.hpp"

namespace troupe::net::mqtt {
namespace {

using core::deny_reason;
constexpr auto q0 = qos::at_most_once;
constexpr auto q1 = qos::at_least_once;
constexpr auto q2 = qos::exactly_once;

connect limited(std::uint16_t receive_maximum, version by = version::v5) {
  connect asked;
  asked.protocol = by;
  asked.client_id = "me";
  asked.receive_maximum = receive_maximum;
  return asked;
}

struct client : gate_driver {
  explicit client(version by = version::v5, mqtt_options how = {})
      : gate_driver(std::move(how)) {
    come(by);
    take();
  }
  explicit client(const connect& asked, mqtt_options how = {})
      : gate_driver(std::move(how)) {
    say(asked);
    take();
  }
  void unhear(std::string_view filter) {
    unsubscribe asked;
    asked.id = packet_id{2000};
    asked.filters.push_back(filter);
    say(asked);
  }
};

TEST(MqttSubscribe, GrantsAndEnds) {
  client it;
  it.hear("a/+", q2);
  EXPECT_EQ(it.take(), lines{"SUBACK 1000 0x02"});
  it.publish_here("a/b", "x", q1);
  EXPECT_EQ(it.take(), lines{"PUBLISH a/b x qos1 id=1"});
  it.unhear("a/+");
  EXPECT_EQ(it.take(), lines{"UNSUBACK 2000 0x00"});
  EXPECT_TRUE(it.listened.empty());
  it.unhear("a/+");
  EXPECT_EQ(it.take(), lines{"UNSUBACK 2000 0x11"});
  it.publish_here("a/b", "x");
  EXPECT_EQ(it.take(), lines{});
}

TEST(MqttSubscribe, EndsEachFilterInItsPlaceAndNoOther) {
  client it;
  for (const char* each : {"a", "A", "a/b", "b"})
    it.hear(each);
  it.take();
  unsubscribe asked;
  asked.id = packet_id{1};
  for (const char* each : {"A", "c", "a/b", "a/#/b"})
    asked.filters.push_back(each);
  it.say(asked);
  EXPECT_EQ(it.take(), lines{"UNSUBACK 1 0x00 0x11 0x00 0x8F"});
  EXPECT_EQ(it.listened, (std::map<std::string, int>{{"a", 1}, {"b", 1}}));
}

TEST(MqttSubscribe, WhatHasBegunIsCompletedBehindItsEnd) {
  client it{limited(1)};
  it.hear("a", q2);
  it.take();
  it.publish_here("a", "begun", q2);
  it.publish_here("a", "waits", q1);
  EXPECT_EQ(it.take(), lines{"PUBLISH a begun qos2 id=1"});
  it.unhear("a");
  it.take();
  it.answer<pubrec>(1);
  EXPECT_EQ(it.take(), lines{"PUBREL 1"});
  it.answer<pubcomp>(1);
  EXPECT_EQ(it.take(), lines{"PUBLISH a waits qos1 id=2"});
}

TEST(MqttSubscribe, AnswersEachFilterInItsPlace) {
  mqtt_options how;
  how.denied = denial_policy::answer;
  client it{version::v5, how};
  it.denied.insert("subscribe:secret");
  subscribe asked;
  asked.id = packet_id{1};
  for (const char* each : {"a", "a/#/b", "secret", "$share/g/a", "b+", "c"})
    asked.filters.push_back({each, q1});
  it.say(asked);
  EXPECT_EQ(it.take(), lines{"SUBACK 1 0x01 0x8F 0x87 0x9E 0x8F 0x01"});
  EXPECT_EQ(it.listened.size(), 2U);
}

TEST(MqttSubscribe, WhatIsNotPermittedGoesByThePolicy) {
  for (const auto by : {version::v5, version::v3_1_1}) {
    for (const auto policy :
         {denial_policy::close, denial_policy::answer, denial_policy::silent}) {
      mqtt_options how;
      how.denied = policy;
      client it{by, how};
      it.denied.insert("subscribe:secret");
      it.hear("secret", q1);
      EXPECT_EQ(it.closed, policy == denial_policy::close);
      EXPECT_TRUE(it.listened.empty());
      lines told;
      if (policy == denial_policy::answer)
        told = {"SUBACK 1000 0x87"};
      else if (policy == denial_policy::silent)
        told = {"SUBACK 1000 0x01"};
      else if (by == version::v5)
        told = {"DISCONNECT 0x87"};
      EXPECT_EQ(it.take(), told);
      EXPECT_EQ(it.refusals, lines{"join secret not_granted"});
    }
  }
}

TEST(MqttSubscribe, WhoMayHaveAllBelowATopicGetsThatForMore) {
  client it;
  it.denied.insert("subscribe:mine/#");
  it.hear("mine/#");
  EXPECT_EQ(it.take(), lines{"SUBACK 1000 0x00"});
  EXPECT_TRUE(it.listened.contains("mine/*"));
  it.publish_here("mine", "no");
  it.publish_here("mine/a", "yes");
  EXPECT_EQ(it.take(), lines{"PUBLISH mine/a yes"});
  it.unhear("mine/#");
  EXPECT_EQ(it.take(), lines{"UNSUBACK 2000 0x00"});
  EXPECT_TRUE(it.listened.empty());
}

TEST(MqttSubscribe, HasBounds) {
  mqtt_options how;
  how.subscriptions_max = 2;
  client it{version::v5, how};
  it.hear("a");
  it.hear("b");
  it.hear("a", q1);
  it.take();
  it.hear("c");
  EXPECT_EQ(it.take(), lines{"SUBACK 1000 0x97"});
  client full;
  full.no_room = true;
  full.hear("a");
  EXPECT_EQ(full.take(), lines{"SUBACK 1000 0x97"});
}

TEST(MqttSubscribe, TheSameFilterAgainReplaces) {
  client it;
  it.hear("a", q0);
  it.hear("a", q1, 7);
  it.take();
  it.publish_here("a", "x", q1);
  EXPECT_EQ(it.take(), lines{"PUBLISH a x qos1 id=1 sub=7"});
  EXPECT_EQ(it.listened.at("a"), 1);
}

TEST(MqttSubscribe, SharesHearBesideOtherSubscriptions) {
  client it;
  it.can.shared = true;
  it.hear("$share/g/a/+", q1, 5);
  it.hear("$share/h/a/+", q0);
  it.hear("a/b", q2);
  EXPECT_EQ(it.take().back(), "SUBACK 1000 0x02");
  EXPECT_EQ(it.shares.size(), 2U);
  it.publish_here("a/b", "x", q2);
  EXPECT_EQ(it.take(),
            (lines{"PUBLISH a/b x qos2 id=1", "PUBLISH a/b x qos1 id=2 sub=5",
                   "PUBLISH a/b x"}));
  it.hear("$share/g/a/+", q0);
  it.take();
  it.unhear("$share/h/a/+");
  EXPECT_EQ(it.take(), lines{"UNSUBACK 2000 0x00"});
  it.publish_here("a/c", "x", q2);
  EXPECT_EQ(it.take(), lines{"PUBLISH a/c x"});
  it.unhear("$share/other/a/+");
  EXPECT_EQ(it.take(), lines{"UNSUBACK 2000 0x11"});
  it.denied.insert("subscribe:a/+");
  it.hear("$share/g/a/+");
  EXPECT_TRUE(it.closed);
  EXPECT_TRUE(it.shares.empty());
  EXPECT_EQ(it.stats.subscriptions, 0U);
}

TEST(MqttSubscribe, ManyFiltersFindTheirs) {
  client it;
  for (int i = 0; i < 50; ++i)
    it.hear("t/" + std::to_string(i) + "/+", q0,
            static_cast<std::uint32_t>(i + 1));
  it.take();
  it.publish_here("t/17/a", "x");
  EXPECT_EQ(it.take(), lines{"PUBLISH t/17/a x sub=18"});
  for (int i = 0; i < 50; i += 2)
    it.unhear("t/" + std::to_string(i) + "/+");
  it.take();
  for (int i = 0; i < 50; ++i)
    it.publish_here("t/" + std::to_string(i) + "/a", "x");
  const auto got = it.take();
  ASSERT_EQ(got.size(), 25U);
  EXPECT_EQ(got.back(), "PUBLISH t/49/a x sub=50");
}

TEST(MqttSubscribe, RetainedMessagesAreAskedForByTheOptions) {
  gate_driver it;
  it.can.retained = true;
  it.come();
  const auto ask = [&](retain_handling how) {
    subscribe asked;
    asked.id = packet_id{1};
    asked.filters.push_back({"a", q0, false, false, how});
    it.say(asked);
    return std::exchange(it.retained_asked, {}).size();
  };
  EXPECT_EQ(ask(retain_handling::send_if_new), 1U);
  EXPECT_EQ(ask(retain_handling::send_if_new), 0U);
  EXPECT_EQ(ask(retain_handling::send), 1U);
  EXPECT_EQ(ask(retain_handling::do_not_send), 0U);
}

// ------------------------------------------------------------------ delivery

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

// -------------------------------------------------------------------- rights

TEST(MqttRights, ASubscriptionThatIsNotPermittedAnyMoreEnds) {
  for (const auto policy : {denial_policy::close, denial_policy::answer}) {
    mqtt_options how;
    how.denied = policy;
    client it{version::v5, how};
    it.hear("a");
    it.hear("b");
    it.take();
    it.subject.on_rights_changed();
    EXPECT_EQ(it.listened.size(), 2U);
    it.denied.insert("subscribe:a");
    it.subject.on_rights_changed();
    if (policy == denial_policy::close) {
      EXPECT_EQ(it.take(), lines{"DISCONNECT 0x87"});
      EXPECT_TRUE(it.listened.empty());
    } else {
      EXPECT_EQ(it.listened.size(), 1U);
      EXPECT_TRUE(it.listened.contains("b"));
    }
  }
}

TEST(MqttRights, WhoIsBannedGoes) {
  client it;
  it.stands = deny_reason::user_banned;
  it.subject.on_rights_changed();
  EXPECT_EQ(it.take(), lines{"DISCONNECT 0x87"});
  EXPECT_EQ(it.stats.ended_rights, 1U);
}

TEST(MqttRights, WhoseTokenExpiresGoesOrIsRefusedWhatHeAsksForNext) {
  client it;
  it.stands = deny_reason::expired;
  it.subject.on_rights_changed();
  EXPECT_TRUE(it.closed);
  mqtt_options how;
  how.expired = expiry_policy::refuse;
  client other{version::v5, how};
  other.hear("a");
  other.take();
  other.stands = deny_reason::expired;
  other.subject.on_rights_changed();
  EXPECT_FALSE(other.closed);
  EXPECT_EQ(other.listened.size(), 1U);
  other.tell("a", "x");
  EXPECT_EQ(other.take(), lines{"DISCONNECT 0x87"});
}

} // namespace
} // namespace troupe::net::mqtt
