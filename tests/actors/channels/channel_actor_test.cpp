// SPDX-License-Identifier: Apache-2.0
// Channels and their actors in virtual time: below the topic router of a
// system without loops, and with tallies of two loops that are none.
#include "actors/channels/channel_actor.hpp"
#include "actors/channels/loop_channels.hpp"
#include "actors/topics/topic_router.hpp"
#include "tests/support/deterministic_system.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace troupe::actors::channels {
namespace {

using namespace std::chrono_literals;
using topics::topic_subscription;
using texts = std::vector<std::string>;

constexpr core::milliseconds idle{1'000};

struct ear final : topics::topic_subscriber {
  void deliver(const core::publication_ptr&, std::uint64_t) override {
    ++heard;
    if (then)
      then();
  }
  int heard = 0;
  std::function<void()> then;
};

core::listener_about somebody(std::uint64_t session, std::string uid = "") {
  core::listener_about who;
  who.door = "msgbus";
  who.session = session;
  who.uid = std::move(uid);
  return who;
}

channel_options small_options() {
  channel_options options;
  options.channels_max = 3;
  options.passivate_after = idle;
  options.listeners_named_max = 4;
  return options;
}

class Channel : public testing::Test {
protected:
  Channel() { router_->set_channels(host_); }
  ~Channel() override {
    router_->drop_channels();
    host_.retire();
    system_.run();
  }

  topic_subscription listen(std::string_view filter,
                            const core::listener_about& who) {
    topics::subscribe_options options;
    options.about = who;
    auto made = router_->subscribe(
        "default", *core::topic_filter::parse(filter), ear_, options);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  void publish(std::string_view topic, std::string_view text = "12345") {
    core::publication p;
    p.topic = *core::topic::parse(topic);
    p.payload = core::shared_bytes::copy_of(text);
    EXPECT_TRUE(router_->publish(std::move(p)));
  }
  /// Loops report, and actors hear of it.
  void settle() {
    router_->report_channels();
    system_.run();
  }
  [[nodiscard]] channel_actor find(std::string_view topic) {
    return host_.find("default", topic);
  }
  std::string inspect_channel(std::string_view topic) {
    const auto actor = find(topic);
    if (!actor)
      return "";
    auto text = system_.ask<std::string>(actor, inspect{});
    return text ? *text : "no answer";
  }
  [[nodiscard]] bool says(std::string_view topic, std::string_view what) {
    return inspect_channel(topic).find(what) != std::string::npos;
  }
  /// Paths of actors, as operators see them.
  texts paths() {
    texts found;
    for (const auto& each : system_.registry().page({}).actors)
      found.push_back(each.path);
    return found;
  }

  test_support::deterministic_system system_;
  ear ear_;
  channel_host host_{system_.system(), system_.clock(), small_options()};
  std::shared_ptr<topics::topic_router> router_ =
      std::make_shared<topics::topic_router>(
          system_.system(),
          topics::router_options{core::node_id{1}, {100, 100}, {}});
};

TEST_F(Channel, IsBornWithItsFirstListener) {
  EXPECT_FALSE(find("news/today"));
  const auto held = listen("news/today", somebody(7, "anna"));
  ASSERT_TRUE(find("news/today"));
  settle();
  EXPECT_EQ(paths(), texts{"channels/default/news/today"});
  EXPECT_TRUE(says("news/today", R"("listeners":1,)"));
  EXPECT_TRUE(
      says("news/today", R"("session":7,"uid":"anna","door":"msgbus")"));
  EXPECT_TRUE(says("news/today", R"("kind":"channel")"));
  EXPECT_EQ(host_.stats().live, 1U);
  EXPECT_EQ(host_.stats().born, 1U);
}

TEST_F(Channel, WildcardsAndThoseWhoSayNothingMakeNone) {
  const auto wild = listen("news/+", somebody(1));
  const auto silent = listen("$inner/question", {});
  publish("news/today");
  settle();
  EXPECT_EQ(host_.stats().live, 0U);
  EXPECT_EQ(host_.stats().reports, 0U);
}

TEST_F(Channel, AnyLevelCanBePartOfAPath) {
  const auto held = listen("a//b%2Fc/", somebody(1));
  settle();
  EXPECT_EQ(paths(), texts{"channels/default/a//b%252Fc/"});
}

TEST_F(Channel, CountsGoInBatches) {
  const auto one = listen("x", somebody(1));
  const auto two = listen("x", somebody(2));
  settle();
  const auto before = host_.stats().reports.load();
  for (int i = 0; i < 1000; ++i)
    publish("x");
  EXPECT_EQ(host_.stats().reports, before);
  settle();
  EXPECT_EQ(host_.stats().reports, before + 1);
  EXPECT_TRUE(says("x", R"("published":1000,"received":0,"bytes":5000,)"
                        R"("delivered":2000,"dropped":0)"));
  settle(); // nothing has happened since
  EXPECT_EQ(host_.stats().reports, before + 1);
  const auto all = host_.list();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]->topic, "x");
  EXPECT_EQ(all[0]->listeners, 2U);
  EXPECT_EQ(all[0]->published, 1000U);
}

TEST_F(Channel, AListenerWhoLeavesWithWhatHeGotIsCounted) {
  auto held = listen("x", somebody(1));
  ear_.then = [&] { held.end(); };
  publish("x");
  publish("x"); // to nobody
  settle();
  EXPECT_TRUE(says("x", R"("listeners":0,)"));
  EXPECT_TRUE(
      says("x", R"("published":1,"received":0,"bytes":5,"delivered":1)"));
}

TEST_F(Channel, IsPassivatedWhenNobodyHasListenedForAWhile) {
  auto held = listen("x", somebody(1));
  settle();
  system_.advance(10 * idle);
  EXPECT_TRUE(find("x"));
  held.end();
  settle();
  system_.advance(idle - 20ms);
  EXPECT_TRUE(find("x"));
  system_.advance(40ms);
  EXPECT_FALSE(find("x"));
  EXPECT_EQ(host_.stats().live, 0U);
  EXPECT_EQ(host_.stats().passivated, 1U);
  EXPECT_TRUE(paths().empty());
}

TEST_F(Channel, WhoComesBackInTimeFindsItAlive) {
  auto held = listen("x", somebody(1));
  publish("x");
  held.end();
  settle();
  system_.advance(idle / 2);
  held = listen("x", somebody(2)); // not reported yet when it is time
  system_.advance(idle);
  EXPECT_TRUE(find("x"));
  settle();
  EXPECT_TRUE(says("x", R"("listeners":1,)"));
  EXPECT_TRUE(says("x", R"("published":1,)"));
  // And the time begins anew.
  held.end();
  settle();
  system_.advance(idle - 20ms);
  EXPECT_TRUE(find("x"));
  system_.advance(2 * idle);
  EXPECT_FALSE(find("x"));
}

TEST_F(Channel, LivesAsLongAsSomethingIsKept) {
  kept_messages past;
  host_.kept = [&](std::string_view, std::string_view topic) {
    return topic == "x" ? past : kept_messages{};
  };
  past = {3, 300, "1-10", "1-12"};
  host_.keep("default", "x");
  host_.keep("default", "x");
  system_.advance(5 * idle);
  ASSERT_TRUE(find("x"));
  EXPECT_EQ(host_.stats().born, 1U);
  EXPECT_TRUE(says("x", R"("history":{"messages":3,"bytes":300,)"
                        R"("oldest":"1-10","newest":"1-12"})"));
  past = {};
  system_.advance(idle + 20ms);
  EXPECT_FALSE(find("x"));
}

TEST_F(Channel, AboveTheBoundTheyAreServedButNotShown) {
  const auto a = listen("a", somebody(1));
  const auto b = listen("b", somebody(1));
  auto c = listen("c", somebody(1));
  auto d = listen("d", somebody(1));
  EXPECT_EQ(host_.stats().unshown, 1U);
  publish("d");
  EXPECT_EQ(ear_.heard, 1);
  EXPECT_FALSE(find("d"));
  // Who comes to where others are not shown isn't either.
  c.end();
  settle();
  system_.advance(2 * idle);
  EXPECT_EQ(host_.stats().live, 2U);
  auto more = listen("d", somebody(2));
  EXPECT_FALSE(find("d"));
  d.end();
  more.end();
  const auto anew = listen("d", somebody(3));
  EXPECT_TRUE(find("d"));
}

TEST_F(Channel, AGroupSaysWhoComesAndGoes) {
  core::listener_about room;
  room.door = "zenconn";
  room.group = true;
  room.restricted = true;
  auto held = listen("$zenconn/private/x", room);
  held.came(somebody(1, "anna"));
  held.came(somebody(2, "berta"));
  ear_.then = [&] { held.handed_on(2); };
  publish("$zenconn/private/x");
  ear_.then = [&] { held.handed_on(0); };
  publish("$zenconn/private/x");
  settle();
  const auto topic = "$zenconn/private/x";
  EXPECT_TRUE(says(topic, R"("private":true,"loops":1,"listeners":2,)"));
  EXPECT_TRUE(says(topic, R"("published":2,"received":0,"bytes":10,)"
                          R"("delivered":2,)"));
  held.went(1);
  settle();
  EXPECT_TRUE(says(topic, R"("listeners":1,)"));
  EXPECT_TRUE(says(topic, R"("presence":[{"uid":"berta")"));
  held.went(2);
  settle();
  system_.advance(2 * idle); // the room is still there
  EXPECT_TRUE(find(topic));
  held.end();
  settle();
  system_.advance(2 * idle);
  EXPECT_FALSE(find(topic));
}

TEST_F(Channel, RetiresWithTheNode) {
  auto held = listen("x", somebody(1));
  settle();
  router_->drop_channels();
  host_.retire();
  system_.run();
  EXPECT_TRUE(paths().empty());
  EXPECT_EQ(host_.stats().live, 0U);
  // Who is still there may go on, and end.
  publish("x");
  EXPECT_EQ(ear_.heard, 1);
  const auto late = listen("y", somebody(2));
  EXPECT_FALSE(find("y"));
  held.end();
  settle();
}

// ----------------------------------------------------------- of several loops

class ChannelOnLoops : public testing::Test {
protected:
  struct loop {
    loop(channel_host& host, std::size_t index, reporting how)
        : channels(
              host, core::node_id{1}, index,
              [this](core::milliseconds time) { woken = time; }, how) {}
    /// As if the time had come.
    bool report() {
      if (!std::exchange(woken, std::nullopt))
        return false;
      channels.hand_over();
      return true;
    }
    std::optional<core::milliseconds> woken;
    loop_channels channels;
  };

  ChannelOnLoops() {
    how_.reports_max = 2;
    how_.moves_max = 3;
  }
  ~ChannelOnLoops() override {
    for (auto* each : {&one_, &two_})
      (*each)->channels.drop();
    host_.retire();
    system_.run();
  }
  static void end(loop& at, channel_tally& tally, std::uint64_t session) {
    at.channels.went(tally, session);
    EXPECT_TRUE(at.channels.release(tally));
  }
  static channel_tally* begin(loop& at, std::string_view topic,
                              std::uint64_t session) {
    auto* tally = at.channels.open("default", topic);
    if (tally == nullptr)
      return nullptr;
    at.channels.hold(*tally);
    at.channels.came(*tally, somebody(session, "anna"));
    return tally;
  }
  [[nodiscard]] bool says(std::string_view topic, std::string_view what) {
    const auto actor = host_.find("default", topic);
    if (!actor)
      return false;
    const auto text = system_.ask<std::string>(actor, inspect{});
    return text && text->find(what) != std::string::npos;
  }
  static core::publication publication(std::uint32_t node,
                                       std::string_view topic = "x") {
    core::publication p;
    p.topic = *core::topic::parse(topic);
    p.node = core::node_id{node};
    p.number = 1'000'000;
    return p;
  }

  test_support::deterministic_system system_;
  channel_host host_{system_.system(), system_.clock(), small_options()};
  reporting how_;
  std::unique_ptr<loop> one_;
  std::unique_ptr<loop> two_;

  void start() {
    one_ = std::make_unique<loop>(host_, 0, how_);
    two_ = std::make_unique<loop>(host_, 1, how_);
  }
};

TEST_F(ChannelOnLoops, APublicationCountsOnceWhateverLoopsItGoesTo) {
  start();
  auto* here = begin(*one_, "x", 1);
  auto* there = begin(*two_, "x", 2);
  here->count(publication(1), 1, true);
  there->count(publication(1), 1, false);
  here->count(publication(2), 1, true);
  there->count(publication(2), 1, false);
  one_->report();
  two_->report();
  system_.run();
  EXPECT_TRUE(says("x", R"("published":1,"received":1,"bytes":0,)"
                        R"("delivered":4)"));
  EXPECT_TRUE(says("x", R"("loops":2,"listeners":2,)"));
  end(*one_, *here, 1);
  end(*two_, *there, 2);
}

TEST_F(ChannelOnLoops, WhenAllOfALoopGoTheOthersStay) {
  start();
  auto* lost = begin(*one_, "x", 1);
  one_->channels.hold(*lost);
  one_->channels.came(*lost, somebody(2, "berta"));
  auto* stays = begin(*two_, "x", 3);
  one_->report();
  two_->report();
  system_.run();
  EXPECT_TRUE(says("x", R"("loops":2,"listeners":3,)"));
  one_->channels.went(*lost, 2);
  EXPECT_FALSE(one_->channels.release(*lost));
  end(*one_, *lost, 1);
  one_->report();
  system_.advance(3 * idle);
  EXPECT_TRUE(says("x", R"("loops":1,"listeners":1,)"));
  EXPECT_TRUE(says("x", R"("connections":1)"));
  end(*two_, *stays, 3);
  two_->report();
  system_.advance(3 * idle);
  EXPECT_FALSE(host_.find("default", "x"));
}

TEST_F(ChannelOnLoops, ReportsAreHandedOverALotAtATime) {
  start();
  auto* a = begin(*one_, "a", 1);
  auto* b = begin(*one_, "b", 1);
  auto* c = begin(*one_, "c", 1);
  EXPECT_EQ(one_->woken, how_.interval);
  EXPECT_TRUE(one_->report());
  EXPECT_EQ(host_.stats().reports, 2U);
  EXPECT_EQ(one_->woken, how_.pause);
  EXPECT_TRUE(one_->report());
  EXPECT_EQ(host_.stats().reports, 3U);
  EXPECT_FALSE(one_->report()); // nothing to do, nobody is woken
  end(*one_, *a, 1);
  end(*one_, *b, 1);
  end(*one_, *c, 1);
}

TEST_F(ChannelOnLoops, ManyMovesAreReportedAtOnce) {
  start();
  auto* tally = begin(*one_, "x", 1);
  for (std::uint64_t session = 2; session <= 7; ++session) {
    one_->channels.hold(*tally);
    one_->channels.came(*tally, somebody(session));
  }
  EXPECT_EQ(host_.stats().reports, 2U); // three each
  one_->report();
  system_.run();
  EXPECT_TRUE(says("x", R"("loops":1,"listeners":7,"listeners_unnamed":3)"));
  for (std::uint64_t session = 7; session > 1; --session) {
    one_->channels.went(*tally, session);
    EXPECT_FALSE(one_->channels.release(*tally));
  }
  end(*one_, *tally, 1);
}

TEST_F(ChannelOnLoops, WhatALoopHadNoRoomForIsCountedToo) {
  start();
  auto* tally = begin(*one_, "x", 1);
  one_->report();
  // Published on the other loop.
  two_->channels.dropped(publication(1), 1, true);
  two_->channels.dropped(publication(1), 1, true);
  two_->channels.dropped(publication(1, "nobody"), 1, true);
  EXPECT_TRUE(two_->report());
  system_.run();
  EXPECT_TRUE(says("x", R"("published":2,"received":0,"bytes":0,)"
                        R"("delivered":0,"dropped":2)"));
  end(*one_, *tally, 1);
}

} // namespace
} // namespace troupe::actors::channels
