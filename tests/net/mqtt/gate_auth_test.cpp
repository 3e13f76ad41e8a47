// SPDX-License-Identifier: Apache-2.0
// Logins by a method of several steps: whose turn it is, and what ends them.
#include "tests/net/mqtt/gate_driver.hpp"

namespace troupe::net::mqtt {
namespace {

using core::deny_reason;
using namespace std::chrono_literals;
constexpr const char* method = "METHOD";

core::login_outcome outcome(deny_reason why, std::string last_words) {
  core::login_outcome found;
  found.why = why;
  found.who.uid = "anna";
  found.last_words = std::move(last_words);
  return found;
}
core::login_outcome success(std::string last_words = "last words") {
  return outcome(deny_reason::none, std::move(last_words));
}

struct client : gate_driver {
  explicit client(mqtt_options how = {}) : gate_driver(std::move(how)) {
    methods = {method};
  }
  void come_by(std::string_view by = method, std::uint16_t keep_alive = 0) {
    connect asked;
    asked.client_id = "me";
    asked.keep_alive = seconds{keep_alive};
    asked.authentication_method = by;
    asked.authentication_data = "first";
    say(asked);
  }
  void say_auth(reason_code why, std::string_view said,
                std::string_view by = method) {
    auth packet;
    packet.reason = why;
    packet.authentication_method = by;
    packet.authentication_data = said;
    say(packet);
  }
  void go_on(std::string_view said) {
    say_auth(reason_code::continue_authentication, said);
  }
  void again(std::string_view said) {
    say_auth(reason_code::reauthenticate, said);
  }
  /// In, by the method.
  void come_in() {
    come_by();
    subject.on_login(success());
    take();
    proofs.clear();
  }
  [[nodiscard]] bool is_over(const char* told) {
    return closed && take() == lines{told};
  }
};

TEST(MqttAuth, ComesInByStepsOfBothSides) {
  client it;
  it.come_by();
  EXPECT_EQ(it.proofs, lines{"begin METHOD first"});
  EXPECT_TRUE(it.subject.paused());
  it.subject.on_challenge("second");
  EXPECT_EQ(it.take(), lines{"AUTH 0x18 METHOD second"});
  EXPECT_FALSE(it.subject.paused());
  it.go_on("third");
  EXPECT_EQ(it.proofs.back(), "go on third");
  EXPECT_TRUE(it.subject.paused());
  it.subject.on_login(success());
  EXPECT_EQ(it.take(), lines{"CONNACK 0x00 by=METHOD last words"});
  EXPECT_TRUE(it.subject.open());
}

TEST(MqttAuth, AMethodThatIsNotServedIsRefused) {
  client it;
  it.come_by("OTHER");
  EXPECT_TRUE(it.is_over("CONNACK 0x8C"));
  EXPECT_TRUE(it.proofs.empty());
}

TEST(MqttAuth, WithoutAMethodNothingIsSaidOfOne) {
  client it;
  it.come();
  EXPECT_EQ(it.take(), lines{"CONNACK 0x00"});
  it.again("first");
  EXPECT_TRUE(it.is_over("DISCONNECT 0x82"));
}

TEST(MqttAuth, SaysWhyItDidNotWork) {
  for (const auto& [why, code] :
       std::vector<std::pair<deny_reason, const char*>>{
           {deny_reason::wrong_credentials, "CONNACK 0x87"},
           {deny_reason::user_banned, "CONNACK 0x8A"},
           {deny_reason::too_many_attempts, "CONNACK 0x9F"},
           {deny_reason::busy, "CONNACK 0x89"}}) {
    client it;
    it.come_by();
    it.subject.on_challenge("second");
    it.take();
    it.go_on("third");
    it.subject.on_login(outcome(why, {}));
    EXPECT_TRUE(it.is_over(code)) << code;
  }
}

TEST(MqttAuth, OtherPacketsInTheMidstEndIt) {
  subscribe asking;
  asking.id = packet_id{1};
  asking.filters.push_back({"a", qos::at_most_once});
  publish telling;
  telling.topic = "a";
  connect coming;
  coming.client_id = "me";
  for (const any_packet& each :
       std::initializer_list<any_packet>{asking, telling, coming, pingreq{}}) {
    client it;
    it.come_by();
    it.subject.on_challenge("second");
    it.take();
    it.say(each);
    EXPECT_TRUE(it.is_over("CONNACK 0x82"));
    EXPECT_TRUE(it.published.empty());
  }
}

TEST(MqttAuth, AGoodbyeInTheMidstIsOne) {
  client it;
  it.come_by();
  it.subject.on_challenge("second");
  it.take();
  it.say(disconnect{});
  EXPECT_TRUE(it.closed);
  EXPECT_EQ(it.take(), lines{});
  EXPECT_TRUE(it.requests.empty()); // nobody was there to leave
}

TEST(MqttAuth, TheMethodStaysTheSame) {
  client it;
  it.come_by();
  it.subject.on_challenge("second");
  it.take();
  it.say_auth(reason_code::continue_authentication, "third", "OTHER");
  EXPECT_TRUE(it.is_over("CONNACK 0x82"));
  client later;
  later.come_in();
  later.say_auth(reason_code::reauthenticate, "first", "OTHER");
  EXPECT_TRUE(later.is_over("DISCONNECT 0x82"));
  EXPECT_TRUE(later.proofs.empty());
}

TEST(MqttAuth, NobodyIsAskedAgainBeforeHeIsIn) {
  client it;
  it.come_by();
  it.subject.on_challenge("second");
  it.take();
  it.again("first");
  EXPECT_TRUE(it.is_over("CONNACK 0x82"));
}

TEST(MqttAuth, MayBeDoneOnceMoreWhileTrafficGoesOn) {
  client it;
  it.come_in();
  it.hear("a");
  it.again("first");
  EXPECT_EQ(it.proofs, lines{"begin METHOD first"});
  EXPECT_FALSE(it.subject.paused());
  it.tell("b", "x", qos::at_least_once, 1);
  it.subject.on_challenge("second");
  it.publish_here("a", "y");
  it.say(pingreq{});
  it.go_on("third");
  it.publish_here("a", "z");
  it.subject.on_login(success("the end"));
  EXPECT_EQ(it.take(),
            (lines{"SUBACK 1000 0x00", "PUBACK 1", "AUTH 0x18 METHOD second",
                   "PUBLISH a y", "PINGRESP", "PUBLISH a z",
                   "AUTH 0x00 METHOD the end"}));
  EXPECT_EQ(it.stats.sessions_ever, 1U);
  it.again("first"); // as often as it likes
  it.subject.on_login(success("the end"));
  EXPECT_EQ(it.take(), lines{"AUTH 0x00 METHOD the end"});
}

TEST(MqttAuth, WhoDoesNotProveItAgainGoes) {
  for (const auto& [why, code] :
       std::vector<std::pair<deny_reason, const char*>>{
           {deny_reason::wrong_credentials, "DISCONNECT 0x87"},
           {deny_reason::user_banned, "DISCONNECT 0x87"},
           {deny_reason::too_many_attempts, "DISCONNECT 0x87"},
           {deny_reason::busy, "DISCONNECT 0x89"}}) {
    client it;
    it.come_in();
    it.again("first");
    it.subject.on_challenge("second");
    it.take();
    it.go_on("third");
    it.subject.on_login(outcome(why, {}));
    EXPECT_TRUE(it.is_over(code));
    EXPECT_EQ(it.stats.refused_login, 1U);
  }
}

TEST(MqttAuth, OutOfTurnIsAnError) {
  client idle;
  idle.come_in();
  idle.go_on("third");
  EXPECT_TRUE(idle.is_over("DISCONNECT 0x82"));
  client twice;
  twice.come_in();
  twice.again("first");
  twice.again("first");
  EXPECT_TRUE(twice.is_over("DISCONNECT 0x82"));
  client challenged;
  challenged.come_in();
  challenged.again("first");
  challenged.subject.on_challenge("second");
  challenged.take();
  challenged.again("first");
  EXPECT_TRUE(challenged.is_over("DISCONNECT 0x82"));
  client hasty;
  hasty.come_in();
  hasty.again("first");
  hasty.go_on("third");
  EXPECT_TRUE(hasty.is_over("DISCONNECT 0x82"));
}

TEST(MqttAuth, HasToBeDoneByTheTimeOfAConnect) {
  client it;
  it.pass(3s);
  it.come_by();
  it.subject.on_challenge("second");
  it.take();
  it.pass(6'999ms);
  EXPECT_FALSE(it.closed);
  it.pass(1ms);
  EXPECT_TRUE(it.closed);
  EXPECT_TRUE(it.aborted);
  EXPECT_EQ(it.stats.refused_protocol, 1U);
}

TEST(MqttAuth, TheKeepAliveCountsAlready) {
  client it;
  it.come_by(method, 2);
  it.subject.on_challenge("second");
  it.take();
  it.pass(2'999ms);
  EXPECT_FALSE(it.closed);
  it.pass(1ms);
  EXPECT_TRUE(it.closed);
}

TEST(MqttAuth, OnceMoreHasATimeToo) {
  client it;
  it.come_in();
  EXPECT_FALSE(it.subject.deadline());
  it.again("first");
  it.subject.on_challenge("second");
  it.take();
  it.pass(9'999ms);
  EXPECT_FALSE(it.closed);
  it.pass(1ms);
  EXPECT_TRUE(it.is_over("DISCONNECT 0x87"));
  client done;
  done.come_in();
  done.again("first");
  done.subject.on_login(success());
  done.pass(60s);
  EXPECT_FALSE(done.closed);
}

TEST(MqttAuth, WhatComesTooLateIsForNobody) {
  client it;
  it.come_in();
  it.subject.on_login(success()); // nobody has asked
  it.subject.on_challenge("second");
  EXPECT_EQ(it.take(), lines{});
  it.again("first");
  it.subject.on_farewell(farewell::shutting_down);
  it.take();
  it.subject.on_challenge("second");
  it.subject.on_login(success());
  EXPECT_EQ(it.take(), lines{});
}

} // namespace
} // namespace troupe::net::mqtt
