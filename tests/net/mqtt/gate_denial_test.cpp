// SPDX-License-Identifier: Apache-2.0
// What a client gets that asks for what it may not have, beside what
// gate_publish_test.cpp and gate_deliver_test.cpp say of each policy.
#include "tests/net/mqtt/gate_driver.hpp"

namespace troupe::net::mqtt {
namespace {

using enum denial_policy;
constexpr auto q1 = qos::at_least_once;
constexpr auto q2 = qos::exactly_once;

/// At a listener of its own policy, or of none.
struct client : gate_driver {
  client(version by, denial_policy everywhere,
         std::optional<denial_policy> here = std::nullopt)
      : gate_driver(with(everywhere), here) {
    denied = {"publish:secret", "subscribe:secret"};
    come(by);
    take();
  }
  static mqtt_options with(denial_policy policy) {
    mqtt_options how;
    how.denied = policy;
    return how;
  }
  void unhear(std::string_view filter) {
    unsubscribe asked;
    asked.id = packet_id{2000};
    asked.filters.push_back(filter);
    say(asked);
  }
};

TEST(MqttDenial, AListenersOwnPolicyIsTheOneThatCounts) {
  client quiet{version::v5, close, silent};
  quiet.hear("secret", q1);
  quiet.tell("secret", "x", q1, 1);
  EXPECT_EQ(quiet.take(), (lines{"SUBACK 1000 0x01", "PUBACK 1"}));
  client told{version::v5, silent, answer};
  told.hear("secret", q1);
  told.tell("secret", "x", q2, 1);
  EXPECT_EQ(told.take(), (lines{"SUBACK 1000 0x87", "PUBREC 1 0x87"}));
  client ended{version::v5, silent, close};
  ended.hear("secret");
  EXPECT_EQ(ended.take(), lines{"DISCONNECT 0x87"});
}

TEST(MqttDenial, IsCountedAndReportedByEveryPolicy) {
  for (const auto policy : {close, answer, silent}) {
    client subscriber{version::v5, policy};
    subscriber.hear("secret");
    EXPECT_EQ(subscriber.stats.refused_subscribe, 1U);
    EXPECT_EQ(subscriber.refusals, lines{"join secret not_granted"});
    EXPECT_EQ(subscriber.stats.subscriptions, 0U);
    client publisher{version::v5, policy};
    publisher.tell("secret", "x");
    EXPECT_EQ(publisher.stats.refused_publish, 1U);
    EXPECT_EQ(publisher.refusals, lines{"publish secret not_granted"});
  }
}

TEST(MqttDenial, SilenceHoldsThroughQos2AndTheEndOfASubscription) {
  client it{version::v5, silent};
  it.tell("secret", "x", q2, 3);
  it.answer<pubrel>(3);
  EXPECT_EQ(it.take(), (lines{"PUBREC 3", "PUBCOMP 3"}));
  it.hear("secret", q2);
  it.unhear("secret");
  EXPECT_EQ(it.take(), (lines{"SUBACK 1000 0x02", "UNSUBACK 2000 0x00"}));
  EXPECT_TRUE(it.published.empty());
  EXPECT_TRUE(it.listened.empty());
}

TEST(MqttDenial, OfAShareGoesByThePolicy) {
  for (const auto policy : {close, answer, silent}) {
    client it{version::v5, policy};
    it.can.shared = true;
    it.hear("$share/g/secret", q1);
    EXPECT_EQ(it.take(), lines{policy == close    ? "DISCONNECT 0x87"
                               : policy == answer ? "SUBACK 1000 0x87"
                                                  : "SUBACK 1000 0x01"});
    EXPECT_TRUE(it.shares.empty());
  }
}

TEST(MqttDenial, Mqtt31HasNoWordForIt) {
  client it{version::v3_1, answer};
  it.hear("secret", q1);
  EXPECT_EQ(it.take(), lines{"SUBACK 1000 0x01"});
  EXPECT_TRUE(it.listened.empty());
  EXPECT_EQ(it.stats.refused_subscribe, 1U);
  it.tell("secret", "x", q1, 1);
  EXPECT_EQ(it.take(), lines{"PUBACK 1"});
}

TEST(MqttDenial, WhatMqtt31CanNotBeToldOtherwiseEndsTheConnection) {
  client it{version::v3_1, answer};
  it.hear("a/#/b");
  EXPECT_EQ(it.take(), lines{});
  EXPECT_TRUE(it.closed);
  client full{version::v3_1, answer};
  full.no_room = true;
  full.hear("a");
  EXPECT_EQ(full.take(), lines{});
  EXPECT_TRUE(full.closed);
}

} // namespace
} // namespace troupe::net::mqtt
