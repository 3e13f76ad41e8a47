// SPDX-License-Identifier: Apache-2.0
// Retained messages, as far as a gate knows of them.
#include "tests/net/mqtt/gate_driver.hpp"

namespace troupe::net::mqtt {
namespace {

constexpr auto q0 = qos::at_most_once;
constexpr auto q1 = qos::at_least_once;

struct retaining_client : gate_driver {
  explicit retaining_client(version by = version::v5, mqtt_options how = {})
      : gate_driver(std::move(how)) {
    can.retained = true;
    come(by);
    take();
  }
  core::publication_ptr kept(std::string_view topic, std::string_view payload,
                             qos level = q0,
                             const message_properties& properties = {}) {
    auto what = publication_of(*parse_topic(topic), level, true, properties,
                               core::shared_bytes::copy_of(payload));
    what.number = static_cast<std::uint64_t>(core::to_millis(time)) * 1000;
    return std::make_shared<const core::publication>(std::move(what));
  }
  bool give(std::string_view filter, const core::publication_ptr& what) {
    return subject.on_retained(*core::topic_filter::parse(filter), what);
  }
  void tell_retained(std::string_view topic, std::string_view payload,
                     qos level = q0, std::uint16_t id = 0) {
    mqtt::publish said;
    said.topic = topic;
    said.payload = core::shared_bytes::copy_of(payload);
    said.level = level;
    said.id = packet_id{id};
    said.retain = true;
    say(said);
  }
};

TEST(MqttRetained, ConnackSaysThatItIsAvailable) {
  gate_driver it;
  it.can.retained = true;
  it.come();
  EXPECT_FALSE(it.welcome.retain_available.has_value()); // which means 1
}

TEST(MqttRetained, IsPublishedAsWhatItIsAndAnsweredWhenItIsKept) {
  retaining_client it;
  it.outcome = publish_state::pending;
  it.tell_retained("a", "x", q1, 7);
  EXPECT_TRUE(marks_of(it.last).retain);
  EXPECT_EQ(it.take(), lines{});
  it.subject.on_published(it.tickets.at(0), reason_code::success);
  EXPECT_EQ(it.take(), lines{"PUBACK 7"});
}

TEST(MqttRetained, ARefusalIsToldAsTheVersionCan) {
  retaining_client it;
  it.outcome = publish_state::pending;
  it.tell_retained("a", "x", q1, 7);
  it.subject.on_published(it.tickets.at(0), reason_code::quota_exceeded);
  EXPECT_EQ(it.take(), lines{"PUBACK 7 0x97"});
  EXPECT_FALSE(it.closed);
  retaining_client old{version::v3_1_1};
  old.outcome = publish_state::pending;
  old.tell_retained("a", "x", q1, 7);
  old.subject.on_published(old.tickets.at(0), reason_code::quota_exceeded);
  EXPECT_EQ(old.take(), lines{});
  EXPECT_TRUE(old.closed);
}

TEST(MqttRetained, OfQos0AFailureIsCountedAndNotTold) {
  retaining_client it;
  it.outcome = publish_state::pending;
  it.tell_retained("a", "x");
  it.subject.on_published(it.tickets.at(0), reason_code::quota_exceeded);
  EXPECT_EQ(it.take(), lines{});
  EXPECT_EQ(it.stats.refused_publish, 1U);
  EXPECT_FALSE(it.closed);
}

TEST(MqttRetained, GoesWithTheFlagTheLesserQosAndTheIdentifier) {
  retaining_client it;
  it.hear("a/+", q1, 5);
  it.take();
  EXPECT_EQ(it.retained_asked, lines{"a/+"});
  EXPECT_TRUE(it.give("a/+", it.kept("a/b", "x", qos::exactly_once)));
  EXPECT_TRUE(it.give("a/+", it.kept("a/c", "y", q0)));
  EXPECT_EQ(it.take(), (lines{"PUBLISH a/b x qos1 id=1 retain sub=5",
                              "PUBLISH a/c y retain sub=5"}));
}

TEST(MqttRetained, SaysHowOldItIs) {
  retaining_client it;
  it.hear("a");
  it.take();
  message_properties properties;
  properties.expiry = seconds{10};
  const auto what = it.kept("a", "x", q0, properties);
  it.pass(core::milliseconds{4000});
  EXPECT_TRUE(it.give("a", what));
  EXPECT_EQ(it.take(), lines{"PUBLISH a x retain age=4"});
  it.pass(core::milliseconds{6000});
  EXPECT_TRUE(it.give("a", what));
  EXPECT_EQ(it.take(), lines{});
  EXPECT_EQ(it.stats.dropped_expired, 1U);
}

TEST(MqttRetained, NobodyGetsItWhoHasUnsubscribed) {
  retaining_client it;
  it.hear("a");
  unsubscribe asked;
  asked.id = packet_id{2};
  asked.filters = {"a"};
  it.say(asked);
  it.take();
  EXPECT_FALSE(it.give("a", it.kept("a", "x")));
  EXPECT_EQ(it.take(), lines{});
}

TEST(MqttRetained, IsNotAskedForByShares) {
  retaining_client it;
  it.can.shared = true;
  it.hear("$share/g/a");
  EXPECT_EQ(it.retained_asked, lines{});
}

TEST(MqttRetained, WaitsForAClientWithAFullWindow) {
  mqtt_options how;
  how.inflight_max = 1;
  retaining_client it{version::v5, how};
  it.hear("a/#", q1);
  EXPECT_TRUE(it.subject.takes_retained());
  it.give("a/#", it.kept("a/1", "x", q1));
  EXPECT_FALSE(it.subject.takes_retained());
  it.answer<puback>(1);
  EXPECT_TRUE(it.subject.takes_retained());
  it.unsent = how.backlog_bytes_max;
  EXPECT_FALSE(it.subject.takes_retained());
}

} // namespace
} // namespace troupe::net::mqtt
