// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/crossing.hpp"
#include "net/mqtt/publish_line.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::net::mqtt {
namespace {

using lines = std::vector<std::string>;

/// Keys and topics that do what the test says.
class line_world final : public topic_space, public key_space {
public:
  core::result<std::unique_ptr<topic_hold>>
  listen(std::string_view, const core::topic_filter&, topic_listener&,
         const core::listener_about&) override {
    return core::errc::unavailable;
  }
  core::result<std::size_t> publish(core::publication what) override {
    const auto marks = marks_of(what);
    published.push_back(
        std::string{what.payload.text()} +
        (marks.revision == 0 ? "" : "@" + std::to_string(marks.revision)));
    return std::size_t{0};
  }
  core::result<bool> publish(core::publication what, queue_terms how) override {
    (void)publish(std::move(what));
    if (!queues)
      return false;
    queueing.push_back(std::move(how.done));
    return true;
  }
  void later(std::function<void()>) override {}

  void set(core::set_key what, set_function done) override {
    asked.push_back("set " + std::string{what.content.payload.text()});
    last = std::move(what);
    waiting.push_back(std::move(done));
  }
  void clear(core::clear_key what, set_function done) override {
    asked.push_back("clear " + what.topic);
    waiting.push_back(std::move(done));
  }
  void read(key_query, page_function) override {}
  void settle(std::function<void(bool)>) override {}

  void answer(core::result<std::uint64_t> outcome, std::size_t which = 0) {
    const auto done = waiting.at(which);
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(which));
    done(std::move(outcome));
  }
  /// What was said at once, or "".
  std::string say(const std::string& text, bool retain = true,
                  qos level = qos::at_least_once,
                  const message_properties& properties = {}) {
    queue_terms how;
    how.qos = static_cast<std::uint8_t>(level);
    const auto at_once = line->publish(
        publication_of(*core::topic::parse("t"), level, retain, properties,
                       core::shared_bytes::copy_of(text)),
        how, [this, text](reason_code code) {
          told.push_back(text + " " + std::string{to_string(code)});
        });
    return at_once ? std::string{to_string(*at_once)} : "";
  }

  mqtt_stats stats;
  bool queues = false; ///< sessions want it
  std::vector<std::function<void(core::errc)>> queueing;
  lines asked;
  lines published;
  lines told;
  core::set_key last;
  std::vector<set_function> waiting;
  std::shared_ptr<publish_line> line =
      std::make_shared<publish_line>(*this, this, stats);
};

TEST(MqttPublishLine, WhatIsNotKeptGoesAtOnce) {
  line_world it;
  EXPECT_EQ(it.say("a", false), "");
  EXPECT_EQ(it.published, lines{"a"});
  EXPECT_EQ(it.told, lines{"a success"});
  EXPECT_TRUE(it.line->empty());
  EXPECT_EQ(it.asked, lines{});
}

TEST(MqttPublishLine, WhatIsKeptGoesWhenItIs) {
  line_world it;
  message_properties properties;
  properties.expiry = seconds{7};
  EXPECT_EQ(it.say("a", true, qos::exactly_once, properties), "");
  EXPECT_EQ(it.asked, lines{"set a"});
  EXPECT_EQ(it.last.content.qos, 2);
  EXPECT_EQ(it.last.time_to_live, core::milliseconds{7000});
  EXPECT_EQ(it.published, lines{});
  it.answer(std::uint64_t{9});
  EXPECT_EQ(it.published, lines{"a@9"});
  EXPECT_EQ(it.told, lines{"a success"});
}

TEST(MqttPublishLine, AnEmptyOneClears) {
  line_world it;
  EXPECT_EQ(it.say(""), "");
  EXPECT_EQ(it.asked, lines{"clear t"});
  it.answer(std::uint64_t{9});
  EXPECT_EQ(it.published, lines{"@9"});
}

TEST(MqttPublishLine, TheOrderStaysWhateverIsKept) {
  line_world it;
  it.say("1");
  it.say("2", false);
  it.say("3");
  it.say("4", false, qos::at_most_once);
  EXPECT_EQ(it.asked, (lines{"set 1", "set 3"}));
  it.answer(std::uint64_t{20}, 1);
  EXPECT_EQ(it.published, lines{});
  it.answer(std::uint64_t{10});
  EXPECT_EQ(it.published, (lines{"1@10", "2", "3@20", "4"}));
  EXPECT_EQ(it.told.size(), 4U);
  EXPECT_TRUE(it.line->empty());
}

TEST(MqttPublishLine, IsToldWhenItIsKeptAndQueued) {
  line_world it;
  it.queues = true;
  it.say("a");
  it.answer(std::uint64_t{9});
  EXPECT_EQ(it.published, lines{"a@9"});
  EXPECT_EQ(it.told, lines{});
  it.queueing.at(0)(core::errc::ok);
  EXPECT_EQ(it.told, lines{"a success"});
  // Not queued though it is kept, and the other way round.
  it.say("b");
  it.answer(std::uint64_t{10});
  it.queueing.at(1)(core::errc::storage_full);
  it.say("c");
  it.answer(core::errc::timed_out);
  it.queueing.at(2)(core::errc::ok);
  EXPECT_EQ(it.told, (lines{"a success", "b quota exceeded",
                            "c implementation specific error"}));
}

TEST(MqttPublishLine, WhatIsRefusedIsToldAndOnlyQos0GoesOn) {
  struct row {
    core::errc why;
    qos level;
    const char* told;
    bool goes;
  };
  constexpr row rows[]{
      {core::errc::storage_full, qos::at_least_once, "quota exceeded", false},
      {core::errc::storage_full, qos::at_most_once, "quota exceeded", true},
      {core::errc::too_large, qos::at_least_once, "quota exceeded", false},
      {core::errc::name_invalid, qos::at_least_once, "topic name invalid",
       false},
      {core::errc::overloaded, qos::exactly_once,
       "implementation specific error", false},
      // It may be kept: who listens has to hear it.
      {core::errc::timed_out, qos::exactly_once,
       "implementation specific error", true},
  };
  for (const auto& row : rows) {
    line_world it;
    it.say("a", true, row.level);
    it.say("b", false);
    it.answer(row.why);
    EXPECT_EQ(it.told, (lines{std::string{"a "} + row.told, "b success"}));
    EXPECT_EQ(it.published, row.goes ? (lines{"a", "b"}) : lines{"b"});
    EXPECT_EQ(it.stats.unkept_quota + it.stats.unkept_invalid +
                  it.stats.unkept_late + it.stats.unkept_busy,
              1U);
  }
}

TEST(MqttPublishLine, GoesOnWithoutItsSession) {
  line_world it;
  it.say("will");
  it.line.reset();
  it.answer(std::uint64_t{1});
  EXPECT_EQ(it.published, lines{"will@1"});
}

TEST(MqttPublishLine, IsFullAtABound) {
  line_world it;
  std::size_t said = 0;
  while (!it.line->is_full() && said < 10'000) {
    it.say("x", true, qos::at_most_once);
    ++said;
  }
  EXPECT_EQ(said, 1024U);
  for (std::size_t i = 0; i < said; ++i)
    it.answer(std::uint64_t{i + 1});
  EXPECT_FALSE(it.line->is_full());
  EXPECT_EQ(it.published.size(), said);
}

} // namespace
} // namespace troupe::net::mqtt
