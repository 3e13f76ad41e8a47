// SPDX-License-Identifier: Apache-2.0
// What is foretold is what happens.
#include "tests/net/mqtt/gate_driver.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::mqtt {
namespace {

using core::fate;

struct seer final : gate_driver {
  using gate_driver::gate_driver;

  [[nodiscard]] bool fits(const delivery& what) override {
    return what.what->payload.size() <= subject.packet_bytes_max();
  }
  /// By the filter, alone; nothing: it is not asked.
  std::optional<core::listener_fate>
  foretold(const core::publication& what, std::string_view filter,
           std::string_view share = {}) const {
    core::listener_fate found;
    if (!subject.foretell(std::make_shared<const core::publication>(what),
                          *core::topic_filter::parse(filter), share, found))
      return std::nullopt;
    return found;
  }
};

core::publication said(std::string_view topic, std::string_view payload,
                       qos level = qos::at_most_once, bool retain = false) {
  return publication_of(*parse_topic(topic), level, retain, {},
                        core::shared_bytes::copy_of(payload));
}

TEST(GateForetell, WhatGoesIsGivenWithTheLesserQos) {
  seer all;
  all.come();
  all.hear("a/+", qos::at_least_once);
  all.take();
  const auto what = said("a/b", "x", qos::exactly_once);
  const auto found = all.foretold(what, "a/+");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->what, fate::given);
  EXPECT_EQ(found->qos, 1);
  EXPECT_EQ(found->why, "with QoS 1, as it is subscribed");
  EXPECT_EQ(all.take(), lines{}); // nothing has happened
  all.deliver(what);
  EXPECT_EQ(all.take(), lines{"PUBLISH a/b x qos1 id=1"});
}

TEST(GateForetell, OverlappingSubscriptionsGetItOnce) {
  seer all;
  all.come();
  all.hear("a/+");
  all.hear("a/#", qos::at_least_once);
  const auto what = said("a/b", "x", qos::at_least_once);
  const auto found = all.foretold(what, "a/#");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->filters, (std::vector<std::string>{"a/#", "a/+"}));
  EXPECT_EQ(found->qos, 1);
  EXPECT_FALSE(all.foretold(what, "a/+"));
}

TEST(GateForetell, ItsOwnIsDroppedWithNoLocal) {
  seer all;
  all.come();
  subscribe asked;
  asked.id = packet_id{1};
  asked.filters.push_back({"a", qos::at_most_once});
  asked.filters.back().no_local = true;
  all.say(asked);
  all.take();
  auto what = said("a", "x");
  EXPECT_EQ(all.foretold(what, "a").value().what, fate::given);
  what.publisher = 1;
  const auto found = all.foretold(what, "a");
  EXPECT_EQ(found->what, fate::dropped);
  EXPECT_EQ(found->why, "no local: it is the client's own");
  all.deliver(what);
  EXPECT_EQ(all.take(), lines{});
}

TEST(GateForetell, SlowClientsLoseQos0AndWaitForTheRest) {
  mqtt_options how;
  how.queue_messages_max = 1;
  seer all{how};
  all.come();
  all.hear("#", qos::at_least_once);
  all.take();
  all.unsent = how.backlog_bytes_max + 1;
  const auto small = said("a", "0");
  const auto large = said("a", "1", qos::at_least_once);
  EXPECT_EQ(all.foretold(small, "#").value().what, fate::dropped);
  all.deliver(small);
  EXPECT_EQ(all.stats.dropped_slow.load(), 1U);
  EXPECT_EQ(all.foretold(large, "#").value().what, fate::waits);
  all.deliver(large);
  EXPECT_EQ(all.stats.queued.load(), 1U);
  EXPECT_EQ(all.foretold(large, "#").value().what, fate::dropped);
  all.deliver(large);
  EXPECT_EQ(all.stats.dropped_queue_full.load(), 1U);
  EXPECT_EQ(all.take(), lines{});
}

TEST(GateForetell, ASessionThatWouldEndIsSaid) {
  mqtt_options how;
  how.queue_messages_max = 0;
  how.queue_full = overflow_policy::close;
  how.inflight_max = 1;
  seer all{how};
  all.come();
  all.hear("#", qos::at_least_once);
  const auto what = said("a", "1", qos::at_least_once);
  EXPECT_EQ(all.foretold(what, "#").value().what, fate::given);
  all.deliver(what);
  const auto found = all.foretold(what, "#");
  EXPECT_EQ(found->what, fate::dropped);
  EXPECT_NE(found->why.find("ends"), std::string::npos);
  all.deliver(what);
  EXPECT_TRUE(all.closed);
}

TEST(GateForetell, WhatIsTooLargeForTheClientIsDropped) {
  seer all;
  connect asked;
  asked.protocol = version::v5;
  asked.client_id = "me";
  asked.maximum_packet_size = 64;
  all.say(asked);
  all.hear("a");
  all.take();
  const auto what = said("a", std::string(100, 'x'));
  EXPECT_EQ(all.foretold(what, "a").value().what, fate::dropped);
  all.deliver(what);
  EXPECT_EQ(all.take(), lines{});
  EXPECT_EQ(all.stats.dropped_too_large.load(), 1U);
}

TEST(GateForetell, AShareIsAskedByItsName) {
  seer all;
  all.can.shared = true;
  all.come();
  all.hear("$share/crew/a/+", qos::at_least_once);
  const auto what = said("a/b", "x", qos::at_least_once);
  const auto found = all.foretold(what, "a/+", "crew");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->what, fate::given);
  EXPECT_FALSE(all.foretold(what, "a/+", "others"));
  EXPECT_FALSE(all.foretold(what, "a/+"));
}

TEST(GateForetell, AliasesAreLookedAtAndNotGiven) {
  sent_aliases all{2};
  for (const std::string name : {"a", "b", "a", "c", "c", "b", "c", "d", "a",
                                 "d", "d", "d", "d", "d", "d", "d", "d"}) {
    const auto seen = all.peek(name);
    const auto given = all.choose(name);
    EXPECT_EQ(seen.number, given.number) << name;
    EXPECT_EQ(seen.fresh, given.fresh) << name;
  }
}

class GateForetellLasting : public ::testing::Test {
protected:
  GateForetellLasting() {
    all.can.session_expiry_max = seconds{3600};
    connect asked;
    asked.protocol = version::v5;
    asked.client_id = "me";
    asked.clean_start = false;
    asked.session_expiry = seconds{60};
    all.say(asked);
    all.hear("a", qos::at_least_once);
    core::client_routed told;
    told.ticket = all.tickets.back();
    told.results = {core::route_result::was_absent};
    told.at = core::log_index{7};
    all.subject.on_routed(told);
    all.take();
    all.take_asked();
  }
  seer all;
};

TEST_F(GateForetellLasting, WhatWasMatchedWithItsRouteComesByTheInbox) {
  auto what = said("a", "x", qos::at_least_once);
  what.queued_as_of = 7;
  EXPECT_EQ(all.foretold(what, "a").value().what, fate::inbox);
  all.deliver(what);
  EXPECT_EQ(all.take_asked(), lines{});
  EXPECT_EQ(all.take(), lines{});
}

TEST_F(GateForetellLasting, WhatWasMatchedBeforeGoesThereNow) {
  auto what = said("a", "x", qos::at_least_once);
  what.queued_as_of = 6;
  EXPECT_EQ(all.foretold(what, "a").value().what, fate::queued);
  all.deliver(what);
  EXPECT_EQ(all.take_asked(), lines{"queue a 1"});
}

TEST_F(GateForetellLasting, Qos0GoesAtOnce) {
  const auto what = said("a", "x");
  EXPECT_EQ(all.foretold(what, "a").value().what, fate::given);
  all.deliver(what);
  EXPECT_EQ(all.take(), lines{"PUBLISH a x"});
}

} // namespace
} // namespace troupe::net::mqtt
