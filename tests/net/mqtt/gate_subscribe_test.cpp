// SPDX-License-Identifier: Apache-2.0
// What a client subscribes to, and what becomes of that with its rights.
#include "tests/net/mqtt/gate_client.hpp"

namespace troupe::net::mqtt {
namespace {

using core::deny_reason;
using test::client;
using test::limited;
using test::q0;
using test::q1;
using test::q2;

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
