// SPDX-License-Identifier: Apache-2.0
// Sessions that outlive their connections.
#include "tests/net/mqtt/gate_driver.hpp"

namespace troupe::net::mqtt {
namespace {

class Lasting : public testing::Test, public gate_driver {
protected:
  Lasting() { can.session_expiry_max = never; }

  void come_to_last(seconds expiry = seconds{60}) {
    connect asked_for;
    asked_for.client_id = "me";
    asked_for.clean_start = false;
    asked_for.session_expiry = expiry;
    say(asked_for);
  }
  /// A message from the inbox.
  void arrive(std::uint64_t position, std::string_view payload,
              qos level = qos::at_least_once,
              core::timestamp queued = core::from_millis(1'700'000'000'000),
              std::optional<seconds> expiry = {}) {
    message_properties properties;
    properties.expiry = expiry;
    auto what = publication_of(*parse_topic("t"), level, false, properties,
                               core::shared_bytes::copy_of(payload));
    what.number = static_cast<std::uint64_t>(core::to_millis(queued)) * 1000;
    outgoing to_send;
    to_send.what = std::make_shared<const core::publication>(std::move(what));
    to_send.level = level;
    subject.on_delivery(core::inbox_position{position}, std::move(to_send),
                        queued);
  }
  void routed(std::uint64_t at = 10,
              std::vector<core::route_result> results =
                  {core::route_result::was_absent},
              core::errc code = core::errc::ok) {
    subject.on_routed(
        {tickets.back(), {code, {}}, core::log_index{at}, std::move(results)});
  }
  /// Of QoS 1, matched against the routes of that index.
  void publish_as_of(std::uint64_t index) {
    auto what = publication_of(*parse_topic("a"), qos::at_least_once, false, {},
                               core::shared_bytes::copy_of("x"));
    what.queued_as_of = index;
    deliver(std::move(what));
  }
  static lines none() { return {}; }
};

TEST_F(Lasting, IsWhatWasAskedForAndThereIs) {
  come_to_last(seconds{77});
  EXPECT_EQ(take(), lines{"CONNACK 0x00"});
  EXPECT_EQ(asked_expiry, seconds{77});
  can.session_expiry_max = seconds{50};
  gate_driver other;
  other.can = can;
  connect asked_for;
  asked_for.client_id = "me";
  asked_for.session_expiry = seconds{77};
  other.say(asked_for);
  EXPECT_EQ(other.take(), lines{"CONNACK 0x00 expiry=50"});
}

TEST_F(Lasting, SaysThatItWasThere) {
  present = true;
  come_to_last();
  EXPECT_EQ(take(), lines{"CONNACK 0x00 present"});
}

TEST_F(Lasting, OfOlderVersionsIsOneThatIsNotClean) {
  connect asked_for;
  asked_for.protocol = version::v3_1_1;
  asked_for.client_id = "me";
  asked_for.clean_start = false;
  say(asked_for);
  EXPECT_EQ(asked_expiry, never);
}

TEST_F(Lasting, SubscribesOnceTheDirectoryHasIt) {
  come_to_last();
  take();
  hear("a/#", qos::at_least_once);
  EXPECT_EQ(take(), none());
  EXPECT_EQ(take_asked(), lines{"route +a/#=1"});
  EXPECT_EQ(listened.size(), 1U);
  routed();
  EXPECT_EQ(take(), lines{"SUBACK 1000 0x01"});
}

TEST_F(Lasting, SaysWhenTheDirectoryHasNoRoom) {
  come_to_last();
  take();
  hear("a", qos::at_least_once);
  routed(10, {}, core::errc::too_many);
  EXPECT_EQ(take(), lines{"SUBACK 1000 0x97"});
  EXPECT_TRUE(listened.empty());
}

TEST_F(Lasting, EndsWhenTheDirectoryDoesNotAnswer) {
  come_to_last();
  take();
  hear("a", qos::at_least_once);
  routed(10, {}, core::errc::timed_out);
  EXPECT_EQ(take(), lines{"DISCONNECT 0x89"});
}

TEST_F(Lasting, UnsubscribesOnceTheDirectoryHasIt) {
  come_to_last();
  hear("a", qos::at_least_once);
  routed();
  take();
  take_asked();
  unsubscribe away;
  away.id = packet_id{5};
  away.filters = {"a", "b"};
  say(away);
  EXPECT_EQ(take(), none());
  EXPECT_EQ(take_asked(), lines{"route -a"});
  routed();
  EXPECT_EQ(take(), lines{"UNSUBACK 5 0x00 0x11"});
}

TEST_F(Lasting, ComesBackWithItsSubscriptions) {
  present = true;
  resumed.routes = {{{"a", {}}, {1, false, false, 3}},
                    {{"b", "s"}, {0, false, false, 0}}};
  come_to_last();
  EXPECT_EQ(listened.size(), 1U);
  EXPECT_EQ(shares.size(), 1U);
  publish_here("a", "x");
  EXPECT_EQ(take(), (lines{"CONNACK 0x00 present", "PUBLISH a x sub=3"}));
  // Whatever was matched was matched with what it had before.
  auto what = publication_of(*parse_topic("a"), qos::exactly_once, false, {},
                             core::shared_bytes::copy_of("y"));
  what.queued_as_of = 1;
  deliver(what);
  EXPECT_EQ(take_asked(), none());
}

TEST_F(Lasting, LosesWhatIsNotPermittedAnyMore) {
  present = true;
  resumed.routes = {{{"a", {}}, {1, false, false, 0}}};
  denied.insert("subscribe:a");
  come_to_last();
  EXPECT_EQ(take_asked(), lines{"route -a"});
  EXPECT_TRUE(listened.empty());
}

TEST_F(Lasting, GetsByTopicWhatDidNotComeByItsInbox) {
  come_to_last();
  hear("a", qos::at_least_once);
  routed(10);
  take();
  take_asked();
  auto what = publication_of(*parse_topic("a"), qos::at_least_once, false, {},
                             core::shared_bytes::copy_of("x"));
  what.queued_as_of = 10;
  deliver(what);
  EXPECT_EQ(take_asked(), none());
  what.queued_as_of = 9;
  deliver(what);
  EXPECT_EQ(take_asked(), lines{"queue a 1"});
  what.queued_as_of = 0;
  deliver(what);
  EXPECT_EQ(take_asked(), lines{"queue a 1"});
  publish_here("a", "y");
  EXPECT_EQ(take(), lines{"PUBLISH a y"});
  // Of doors that have no QoS, what is queued comes by the inbox alone.
  auto plain = publication_of(*parse_topic("a"), qos::at_most_once, false, {},
                              core::shared_bytes::copy_of("z"));
  plain.queued_as_of = 12;
  deliver(plain);
  EXPECT_EQ(take(), none());
}

TEST_F(Lasting, LosesNothingWhileItSubscribesAgain) {
  come_to_last();
  hear("a", qos::at_least_once);
  routed(10);
  hear("a", qos::exactly_once); // [MQTT-3.8.4-4]
  take_asked();
  publish_as_of(9);
  EXPECT_EQ(take_asked(), lines{"queue a 1"});
  publish_as_of(10);
  EXPECT_EQ(take_asked(), none());
  routed(12, {core::route_result::was_present});
  publish_as_of(11);
  EXPECT_EQ(take_asked(), none());
}

TEST_F(Lasting, ARefusedRequestTakesNothingFromTheNextOne) {
  come_to_last();
  hear("a", qos::at_least_once);
  hear("a", qos::exactly_once);
  take();
  take_asked();
  subject.on_routed(
      {tickets.at(0), {}, core::log_index{9}, {core::route_result::refused}});
  EXPECT_EQ(take(), lines{"SUBACK 1000 0x97"});
  subject.on_routed({tickets.at(1),
                     {},
                     core::log_index{10},
                     {core::route_result::was_absent}});
  EXPECT_EQ(take(), lines{"SUBACK 1000 0x02"});
  EXPECT_EQ(take_asked(), none());
  EXPECT_EQ(listened.size(), 1U);
  publish_as_of(9);
  EXPECT_EQ(take_asked(), lines{"queue a 1"});
}

TEST_F(Lasting, LosesNothingOfASubscriptionThatWasOfQos0) {
  come_to_last();
  hear("a", qos::at_most_once);
  routed(10);
  hear("a", qos::at_least_once);
  routed(12, {core::route_result::was_present});
  take_asked();
  publish_as_of(11); // matched, and left out
  EXPECT_EQ(take_asked(), lines{"queue a 1"});
  publish_as_of(12);
  EXPECT_EQ(take_asked(), none());
}

TEST_F(Lasting, LosesNothingWhileAnotherSubscriptionOverlaps) {
  come_to_last();
  hear("a", qos::at_least_once);
  routed(10);
  hear("+", qos::at_least_once);
  take_asked();
  publish_as_of(9);
  EXPECT_EQ(take_asked(), lines{"queue a 1"});
  publish_as_of(10);
  EXPECT_EQ(take_asked(), none());
}

TEST_F(Lasting, HasPacketIdsThatFollowFromPositions) {
  come_to_last();
  take();
  take_asked();
  arrive(41, "x");
  arrive(65'534, "y");
  arrive(65'535, "z");
  EXPECT_EQ(take(),
            (lines{"PUBLISH t x qos1 id=42", "PUBLISH t y qos1 id=65535",
                   "PUBLISH t z qos1 id=1"}));
  answer<puback>(42);
  EXPECT_EQ(take_asked(), lines{"settle 41"});
  answer<puback>(1);
  EXPECT_EQ(take_asked(), none());
  answer<puback>(65'535);
  EXPECT_EQ(take_asked(), lines{"settle 65535"});
}

TEST_F(Lasting, ReleasesWhatIsDurable) {
  come_to_last();
  take();
  take_asked();
  arrive(1, "x", qos::exactly_once);
  EXPECT_EQ(take(), lines{"PUBLISH t x qos2 id=2"});
  answer<pubrec>(2);
  EXPECT_EQ(take(), none());
  EXPECT_EQ(take_asked(), lines{"settle 1 2"});
  subject.on_released({2});
  EXPECT_EQ(take(), lines{"PUBREL 2"});
  answer<pubcomp>(2);
  EXPECT_EQ(take_asked(), lines{"complete 2"});
}

TEST_F(Lasting, HoldsEarlyAnswersBack) {
  come_to_last();
  arrive(1, "x");
  arrive(2, "y", qos::exactly_once);
  take();
  take_asked();
  answer<pubrec>(3);
  EXPECT_EQ(take_asked(), none());
  answer<puback>(2);
  EXPECT_EQ(take_asked(), lines{"settle 2 3"});
}

TEST_F(Lasting, ReleasesAgainWhatWaitedForItsEnd) {
  present = true;
  resumed.awaiting = {7, 5};
  come_to_last();
  EXPECT_EQ(take(), (lines{"CONNACK 0x00 present", "PUBREL 7", "PUBREL 5"}));
  arrive(6, "x"); // would have the id 7
  EXPECT_EQ(take(), none());
  answer<pubcomp>(7);
  EXPECT_EQ(take(), lines{"PUBLISH t x qos1 id=7"});
}

TEST_F(Lasting, MarksWhatMayHaveBeenSent) {
  present = true;
  resumed.closed = core::from_millis(1'700'000'000'000);
  come_to_last();
  take();
  arrive(1, "x");
  arrive(2, "y", qos::at_least_once, core::from_millis(1'700'000'000'001));
  EXPECT_EQ(take(),
            (lines{"PUBLISH t x qos1 id=2 again", "PUBLISH t y qos1 id=3"}));
}

TEST_F(Lasting, WhatWasUnderWayDoesNotExpire) {
  present = true;
  const auto then = core::from_millis(1'700'000'000'000);
  resumed.closed = then;
  time = then + core::milliseconds{60'000};
  connect asked_for;
  asked_for.client_id = "me";
  asked_for.clean_start = false;
  asked_for.session_expiry = seconds{60};
  asked_for.receive_maximum = 2;
  say(asked_for);
  take();
  take_asked();
  constexpr auto q1 = qos::at_least_once;
  constexpr auto q2 = qos::exactly_once;
  arrive(1, "begun", q2, then, seconds{10});
  arrive(2, "may be dropped", q1, then, seconds{10});
  arrive(3, "begun, too", q2, then, seconds{10});
  // More can't have been under way; and the next one came later.
  arrive(4, "waited", q2, then, seconds{10});
  arrive(5, "later", q2, then + core::milliseconds{1}, seconds{10});
  arrive(6, "lives", q2, then, seconds{100});
  EXPECT_EQ(take(), (lines{"PUBLISH t begun qos2 id=2 again age=10",
                           "PUBLISH t begun, too qos2 id=4 again age=10"}));
  EXPECT_EQ(take_asked(), none());
  answer<pubrec>(2);
  EXPECT_EQ(take_asked(), lines{"settle 2 2"});
  subject.on_released({2});
  answer<pubcomp>(2);
  EXPECT_EQ(take(),
            (lines{"PUBREL 2", "PUBLISH t lives qos2 id=7 again age=60"}));
  EXPECT_EQ(stats.dropped_expired, 3U);
}

TEST_F(Lasting, WhatIsRefusedIsSettledAndWaitsForNothing) {
  come_to_last();
  arrive(1, "x", qos::exactly_once);
  arrive(2, "y");
  take();
  take_asked();
  answer<pubrec>(2, reason_code::quota_exceeded);
  EXPECT_EQ(take_asked(), lines{"settle 1"});
  answer<puback>(3, reason_code::unspecified_error);
  EXPECT_EQ(take_asked(), lines{"settle 2"});
  EXPECT_EQ(take(), none());
}

TEST_F(Lasting, HasNoAliasesOfTheConnectionBefore) {
  present = true;
  resumed.closed = core::from_millis(1'700'000'000'000);
  connect asked_for;
  asked_for.client_id = "me";
  asked_for.clean_start = false;
  asked_for.session_expiry = seconds{60};
  asked_for.topic_alias_maximum = 5;
  const auto topic = *parse_topic("a/topic/of/some/length/a");
  const auto message = [&] {
    auto what = publication_of(topic, qos::at_least_once, false, {},
                               core::shared_bytes::copy_of("x"));
    what.number = 1'700'000'000'000'000;
    return outgoing{std::make_shared<const core::publication>(std::move(what)),
                    qos::at_least_once,
                    false,
                    {}};
  };
  for (int connection = 0; connection < 2; ++connection) {
    gate_driver it;
    it.can = can;
    it.present = true;
    it.say(asked_for);
    it.take();
    for (std::uint64_t at = 1; at <= 2; ++at)
      it.subject.on_delivery(core::inbox_position{at}, message(), it.time);
    EXPECT_EQ(it.take(),
              (lines{"PUBLISH a/topic/of/some/length/a x qos1 id=2 alias=1",
                     "PUBLISH a/topic/of/some/length/a x qos1 id=3 "
                     "known-as=1"}));
  }
}

TEST_F(Lasting, EndsBefore5WithoutAWordWhenTheDirectoryDoesNotAnswer) {
  connect asked_for;
  asked_for.protocol = version::v3_1_1;
  asked_for.client_id = "me";
  asked_for.clean_start = false;
  say(asked_for);
  take();
  hear("a", qos::at_least_once);
  routed(10, {}, core::errc::timed_out);
  EXPECT_EQ(take(), none());
  EXPECT_TRUE(closed);
}

TEST_F(Lasting, SendsNoMoreThanTheClientTakes) {
  connect asked_for;
  asked_for.client_id = "me";
  asked_for.session_expiry = seconds{60};
  asked_for.receive_maximum = 2;
  say(asked_for);
  take();
  arrive(1, "x", qos::exactly_once);
  arrive(2, "y");
  arrive(3, "z");
  EXPECT_EQ(take().size(), 2U);
  answer<pubrec>(2);
  subject.on_released({2});
  EXPECT_EQ(take(), lines{"PUBREL 2"});
  answer<pubcomp>(2);
  EXPECT_EQ(take(), lines{"PUBLISH t z qos1 id=4"});
}

TEST_F(Lasting, SkipsWhatIsOverAndWhatIsTooLarge) {
  connect asked_for;
  asked_for.client_id = "me";
  asked_for.session_expiry = seconds{60};
  asked_for.maximum_packet_size = 20;
  say(asked_for);
  take();
  take_asked();
  arrive(1, std::string(100, 'x'));
  EXPECT_EQ(take(), none());
  EXPECT_EQ(take_asked(), lines{"settle 1"});
}

TEST_F(Lasting, TakesAMessageOfQos2Once) {
  come_to_last();
  take();
  take_asked();
  tell("a", "x", qos::exactly_once, 7);
  EXPECT_EQ(published, lines{"a x once 7"});
  tell("a", "x", qos::exactly_once, 7);
  EXPECT_EQ(published.size(), 1U);
  subject.on_published(tickets.back(), reason_code::success);
  EXPECT_EQ(take(), lines{"PUBREC 7"});
  answer<pubrel>(7);
  EXPECT_EQ(take(), none());
  EXPECT_EQ(take_asked(), lines{"release 7"});
  subject.on_completed({7});
  EXPECT_EQ(take(), lines{"PUBCOMP 7"});
}

TEST_F(Lasting, FreesTheIdOfWhatIsRefused) {
  come_to_last();
  take();
  take_asked();
  tell("a", "x", qos::exactly_once, 7);
  subject.on_published(tickets.back(), reason_code::quota_exceeded);
  EXPECT_EQ(take(), lines{"PUBREC 7 0x97"});
  EXPECT_EQ(take_asked(), lines{"release 7"});
  subject.on_completed({7});
  EXPECT_EQ(take(), none());
}

TEST_F(Lasting, LeavesItsWillWithTheBroker) {
  connect asked_for;
  asked_for.client_id = "me";
  asked_for.session_expiry = seconds{60};
  asked_for.will.emplace();
  asked_for.will->topic = "gone";
  asked_for.will->level = qos::at_least_once;
  asked_for.will->delay = seconds{5};
  say(asked_for);
  ASSERT_TRUE(left_will);
  EXPECT_EQ(left_will->topic, "gone");
  EXPECT_EQ(left_will->content.qos, 1);
  EXPECT_EQ(left_will->delay, core::milliseconds{5000});
  take_asked();
  subject.on_closed();
  EXPECT_EQ(take_asked(), lines{"leave"});
  EXPECT_TRUE(published.empty());
}

TEST_F(Lasting, SaysGoodbye) {
  come_to_last();
  take_asked();
  disconnect bye;
  bye.session_expiry = seconds{9};
  say(bye);
  EXPECT_EQ(take_asked(), (lines{"keep 9", "leave, no will"}));
}

TEST_F(Lasting, CantBeWhenItWasNotAskedFor) {
  come();
  take();
  disconnect bye;
  bye.session_expiry = seconds{9};
  say(bye);
  EXPECT_EQ(take(), lines{"DISCONNECT 0x82"});
}

} // namespace
} // namespace troupe::net::mqtt
