// SPDX-License-Identifier: Apache-2.0
// How a client comes in and goes.
#include "tests/net/mqtt/gate_driver.hpp"

namespace troupe::net::mqtt {
namespace {

using core::deny_reason;

connect connecting(version by, std::string_view id = "me") {
  connect asked;
  asked.protocol = by;
  asked.client_id = id;
  return asked;
}

TEST(MqttConnect, WelcomesEveryVersion) {
  for (const auto by : {version::v3_1, version::v3_1_1, version::v5}) {
    gate_driver it;
    it.come(by);
    EXPECT_EQ(it.take(), lines{"CONNACK 0x00"});
    EXPECT_TRUE(it.subject.open());
  }
}

TEST(MqttConnect, SaysWhatIsNotAvailable) {
  gate_driver it;
  auto asked = connecting(version::v5);
  asked.session_expiry = seconds{3600};
  it.say(asked);
  EXPECT_EQ(it.take(), lines{"CONNACK 0x00 expiry=0"});
  EXPECT_EQ(it.welcome.retain_available, false);
  EXPECT_EQ(it.welcome.shared_subscriptions_available, false);
  EXPECT_EQ(it.welcome.receive_maximum, 1024);
  EXPECT_EQ(it.welcome.topic_alias_maximum, 64);
  EXPECT_EQ(it.welcome.maximum_packet_size, 1U << 20U);
  EXPECT_FALSE(it.welcome.maximum_qos);
}

TEST(MqttConnect, SaysWhatIsAvailable) {
  gate_driver it;
  it.can = {seconds{600}, true, true};
  it.present = true;
  auto asked = connecting(version::v5);
  asked.clean_start = false;
  asked.session_expiry = seconds{3600};
  it.say(asked);
  EXPECT_EQ(it.take(), lines{"CONNACK 0x00 present expiry=600"});
  EXPECT_EQ(it.asked_expiry, seconds{600});
  EXPECT_FALSE(it.clean);
  EXPECT_FALSE(it.welcome.retain_available);
  EXPECT_FALSE(it.welcome.shared_subscriptions_available);
}

TEST(MqttConnect, GivesTheLongestSessionThereIsToOldClientsThatAreNotClean) {
  gate_driver it;
  it.can.session_expiry_max = seconds{600};
  auto asked = connecting(version::v3_1_1);
  asked.clean_start = false;
  it.say(asked);
  EXPECT_EQ(it.asked_expiry, seconds{600});
}

TEST(MqttConnect, EndsAtAnyOtherFirstPacketWithoutAWord) {
  gate_driver it;
  it.say(pingreq{});
  EXPECT_EQ(it.take(), lines{});
  EXPECT_TRUE(it.closed);
}

TEST(MqttConnect, EndsAtASecondOne) {
  gate_driver it;
  it.come();
  it.take();
  it.come();
  EXPECT_EQ(it.take(), lines{"DISCONNECT 0x82"});
  EXPECT_TRUE(it.closed);
}

TEST(MqttConnect, EndsIfItDoesNotComeInTime) {
  gate_driver it;
  it.pass(core::milliseconds{9'999});
  EXPECT_FALSE(it.closed);
  it.pass(core::milliseconds{1});
  EXPECT_TRUE(it.closed);
  EXPECT_EQ(it.take(), lines{});
}

TEST(MqttConnect, ABytePerSecondDoesNotHelp) {
  gate_driver it;
  for (int i = 0; i < 12 && !it.closed; ++i) {
    it.subject.on_heard(it.now);
    it.pass(core::milliseconds{1000});
  }
  EXPECT_TRUE(it.closed);
}

TEST(MqttConnect, RefusesAVersionThatIsNotServedInItsOwnWords) {
  gate_driver it;
  it.subject.on_violation({reason_code::unsupported_protocol_version, "", "no"},
                          version::v3_1_1);
  EXPECT_EQ(it.take(), lines{"CONNACK 0x84"});
  EXPECT_TRUE(it.closed);
}

TEST(MqttConnect, MakesANameForWhoHasNone) {
  gate_driver it;
  it.come(version::v5, "");
  EXPECT_EQ(it.take(), lines{"CONNACK 0x00 id=made-up"});
  EXPECT_EQ(it.subject.client_id(), "made-up");
}

TEST(MqttConnect, RefusesALongName) {
  gate_driver it;
  it.come(version::v5, std::string(1025, 'x'));
  EXPECT_EQ(it.take(), lines{"CONNACK 0x85"});
}

TEST(MqttConnect, HasNoAuthenticationMethods) {
  gate_driver it;
  auto asked = connecting(version::v5);
  asked.authentication_method = "SCRAM-SHA-256";
  it.say(asked);
  EXPECT_EQ(it.take(), lines{"CONNACK 0x8C"});
  gate_driver other;
  other.come();
  other.take();
  other.say(auth{reason_code::reauthenticate, "SCRAM-SHA-256"});
  EXPECT_EQ(other.take(), lines{"DISCONNECT 0x82"});
}

TEST(MqttConnect, NothingIsReadWhileTheLoginIsUnderWay) {
  gate_driver it;
  it.login_waits = true;
  it.come();
  EXPECT_TRUE(it.subject.paused());
  EXPECT_FALSE(it.subject.deadline());
  it.subject.on_login({});
  EXPECT_FALSE(it.subject.paused());
  EXPECT_EQ(it.take(), lines{"CONNACK 0x00"});
}

TEST(MqttConnect, SaysWhyALoginDidNotWork) {
  const std::vector<std::pair<deny_reason, const char*>> table{
      {deny_reason::wrong_credentials, "CONNACK 0x86"},
      {deny_reason::expired, "CONNACK 0x86"},
      {deny_reason::no_credentials, "CONNACK 0x87"},
      {deny_reason::not_granted, "CONNACK 0x87"},
      {deny_reason::user_banned, "CONNACK 0x8A"},
      {deny_reason::address_banned, "CONNACK 0x8A"},
      {deny_reason::too_many_attempts, "CONNACK 0x9F"},
      {deny_reason::busy, "CONNACK 0x89"},
  };
  for (const auto& [why, answer] : table) {
    gate_driver it;
    it.login = why;
    it.come();
    EXPECT_EQ(it.take(), lines{answer}) << core::to_string(why);
    EXPECT_TRUE(it.closed);
    EXPECT_EQ(it.stats.sessions_ever, 0U);
  }
}

TEST(MqttConnect, NothingBehindARefusedOneCounts) {
  gate_driver it;
  it.login = deny_reason::wrong_credentials;
  it.come();
  EXPECT_EQ(it.take(), lines{"CONNACK 0x86"});
  it.tell("a", "x", qos::at_least_once, 1);
  it.hear("a");
  it.come();
  EXPECT_EQ(it.take(), lines{});
  EXPECT_EQ(it.published, lines{});
  EXPECT_TRUE(it.listened.empty());
}

TEST(MqttConnect, ShowsWhatTheClientHas) {
  struct row {
    const char* user;
    const char* password;
    const char* uid;
    const char* bearer;
  };
  const std::vector<row> table{
      {"alice", "secret", "alice", ""},
      {"JWT", "whatever", "", "whatever"},
      {"alice", "eyJhb.eyJz.c2ln", "", "eyJhb.eyJz.c2ln"},
      {"alice", "eyJhb.eyJz", "alice", ""},
      {"alice", "trp_1_2", "alice", "trp_1_2"},
      {"alice", nullptr, "alice", ""},
      {nullptr, nullptr, "", ""},
      {nullptr, "eyJhb.eyJz.c2ln", "", "eyJhb.eyJz.c2ln"},
  };
  for (const auto& [user, password, uid, bearer] : table) {
    gate_driver it;
    auto asked = connecting(version::v5);
    if (user != nullptr)
      asked.user_name = user;
    if (password != nullptr)
      asked.password = password;
    it.say(asked);
    EXPECT_EQ(it.shown.uid, uid) << (user ? user : "nobody");
    EXPECT_EQ(it.shown.bearer, bearer);
    EXPECT_EQ(it.shown.client, "me");
  }
}

TEST(MqttConnect, ShortensTheKeepAliveOfThoseWhoCanBeTold) {
  mqtt_options how;
  how.keep_alive_max = 100;
  gate_driver it{how};
  auto asked = connecting(version::v5);
  asked.keep_alive = seconds{200};
  it.say(asked);
  EXPECT_EQ(it.take(), lines{"CONNACK 0x00 keep-alive=100"});
  it.pass(core::milliseconds{149'999});
  EXPECT_FALSE(it.closed);
  it.pass(core::milliseconds{1});
  EXPECT_EQ(it.take(), lines{"DISCONNECT 0x8D"});
}

TEST(MqttConnect, AnythingHeardKeepsItAlive) {
  gate_driver it;
  auto asked = connecting(version::v3_1_1);
  asked.keep_alive = seconds{10};
  it.say(asked);
  it.take();
  for (int i = 0; i < 5; ++i) {
    it.pass(core::milliseconds{14'000});
    it.subject.on_heard(it.now);
    it.say(pingreq{});
    EXPECT_EQ(it.take(), lines{"PINGRESP"});
  }
  it.pass(core::milliseconds{15'000});
  EXPECT_TRUE(it.closed);
  EXPECT_EQ(it.take(), lines{}) << "3.1.1 has no DISCONNECT of servers";
  EXPECT_EQ(it.stats.ended_keep_alive, 1U);
}

TEST(MqttConnect, GivesResponseInformationToWhoAsks) {
  mqtt_options how;
  how.response_prefix = "answers/%c/";
  gate_driver it{how};
  auto asked = connecting(version::v5);
  asked.request_response_information = true;
  it.say(asked);
  EXPECT_EQ(it.take(), lines{"CONNACK 0x00 response=answers/me/"});
  gate_driver other{how};
  other.come();
  EXPECT_EQ(other.take(), lines{"CONNACK 0x00"});
}

TEST(MqttConnect, WhoWantsNoReasonStringsGetsNone) {
  for (const bool wants : {true, false}) {
    gate_driver it;
    auto asked = connecting(version::v5);
    asked.request_problem_information = wants;
    asked.client_id = std::string_view{};
    asked.authentication_method = "unknown";
    it.say(asked);
    EXPECT_EQ(it.take(), lines{"CONNACK 0x8C"});
    EXPECT_EQ(it.welcome.reason_string.has_value(), wants);
  }
}

TEST(MqttConnect, EndsInEachVersionsWords) {
  struct row {
    farewell why;
    const char* told;
  };
  for (const auto& [why, told] :
       std::vector<row>{{farewell::draining, "DISCONNECT 0x9C at=other:1883"},
                        {farewell::shutting_down, "DISCONNECT 0x8B"},
                        {farewell::taken_over, "DISCONNECT 0x8E"}}) {
    mqtt_options how;
    how.server_reference = "other:1883";
    gate_driver it{how};
    it.come();
    it.take();
    it.subject.on_farewell(why);
    EXPECT_EQ(it.take(), lines{told});
    EXPECT_TRUE(it.closed);
    gate_driver old;
    old.come(version::v3_1_1);
    old.take();
    old.subject.on_farewell(why);
    EXPECT_EQ(old.take(), lines{});
    EXPECT_TRUE(old.closed);
  }
}

// ------------------------------------------------------------------ the will

connect with_will() {
  auto asked = connecting(version::v5);
  will_message will;
  will.topic = "last";
  will.payload = core::shared_bytes::copy_of("words");
  will.level = qos::at_least_once;
  asked.will = will;
  return asked;
}

TEST(MqttWill, IsPublishedUnlessTheClientSaysGoodbye) {
  const std::vector<std::pair<std::optional<reason_code>, bool>> table{
      {std::nullopt, true}, // the connection ended
      {reason_code::normal_disconnection, false},
      {reason_code::disconnect_with_will, true},
      {reason_code::unspecified_error, true},
  };
  for (const auto& [code, published] : table) {
    gate_driver it;
    it.say(with_will());
    if (code) {
      disconnect bye;
      bye.reason = *code;
      it.say(bye);
      EXPECT_TRUE(it.closed);
    } else {
      it.subject.on_closed();
    }
    EXPECT_EQ(it.published, published ? lines{"last words"} : lines{});
  }
}

TEST(MqttWill, IsPublishedWhenTheNodeEndsTheSession) {
  gate_driver it;
  it.say(with_will());
  it.subject.on_farewell(farewell::taken_over);
  EXPECT_EQ(it.published, lines{"last words"});
  EXPECT_EQ(it.stats.wills, 1U);
}

TEST(MqttWill, WhoHasNoneLeavesNothing) {
  gate_driver it;
  it.come();
  it.subject.on_closed();
  EXPECT_EQ(it.published, lines{});
  EXPECT_EQ(it.stats.wills, 0U);
}

TEST(MqttWill, SaysOfItselfWhatTheClientSaid) {
  gate_driver it;
  auto asked = with_will();
  asked.will->properties.content_type = "text/plain";
  asked.will->properties.user = {{"k", "1"}, {"a", "2"}, {"k", "3"}};
  it.say(asked);
  it.subject.on_closed();
  EXPECT_EQ(marks_of(it.last).level, qos::at_least_once);
  EXPECT_FALSE(marks_of(it.last).retain);
  EXPECT_EQ(properties_of(it.last), asked.will->properties);
}

TEST(MqttWill, IsOnlyThatOfAClientThatCameIn) {
  gate_driver it;
  it.login = deny_reason::wrong_credentials;
  it.say(with_will());
  EXPECT_EQ(it.published, lines{});
}

TEST(MqttWill, GoesNowhereWhereTheClientMayNotPublish) {
  gate_driver it;
  it.denied.insert("publish:last");
  it.say(with_will());
  EXPECT_EQ(it.take(), lines{"CONNACK 0x00"});
  it.subject.on_closed();
  EXPECT_EQ(it.published, lines{});
  EXPECT_EQ(it.refusals, lines{"publish last not_granted"});
}

TEST(MqttWill, IsRefusedWithAWrongTopicOrIfItIsToBeRetained) {
  auto asked = with_will();
  asked.will->retain = true;
  gate_driver it;
  it.say(asked);
  EXPECT_EQ(it.take(), lines{"CONNACK 0x9A"});
  asked = with_will();
  asked.will->topic = "a/+";
  gate_driver other;
  other.say(asked);
  EXPECT_EQ(other.take(), lines{"CONNACK 0x90"});
  asked.protocol = version::v3_1_1;
  gate_driver wordless; // [MQTT-3.2.2-6]
  wordless.say(asked);
  EXPECT_EQ(wordless.take(), lines{});
  EXPECT_TRUE(wordless.closed);
  asked = with_will();
  asked.protocol = version::v3_1_1;
  asked.will->retain = true;
  gate_driver old;
  old.say(asked);
  EXPECT_EQ(old.take(), lines{"CONNACK 0x00"});
}

} // namespace
} // namespace troupe::net::mqtt
