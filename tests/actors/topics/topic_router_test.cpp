// SPDX-License-Identifier: Apache-2.0
#include "actors/topics/publication_wire.hpp"
#include "actors/topics/topic_router.hpp"
#include "tests/support/deterministic_system.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors::topics {
namespace {

using core::errc;
using core::node_id;
using texts = std::vector<std::string>;

core::topic_filter filter(std::string_view text) {
  return *core::topic_filter::parse(text);
}

core::publication publication(std::string_view name, std::string_view text,
                              std::uint64_t publisher = 0) {
  core::publication p;
  p.topic = *core::topic::parse(name);
  p.publisher = publisher;
  p.payload = core::shared_bytes::copy_of(text);
  return p;
}

struct listener final : topic_subscriber {
  void deliver(const core::publication_ptr& what, std::uint64_t tag) override {
    got.push_back(std::to_string(tag) + " " +
                  std::string{what->payload.text()});
    all.push_back(what);
    if (then)
      then();
  }
  texts got;
  std::vector<core::publication_ptr> all;
  std::function<void()> then;
};

struct recording_transport final : publish_transport {
  core::result<void> send(node_id to, std::uint64_t key,
                          core::shared_bytes frame) override {
    if (answer.code != errc::ok)
      return answer;
    sent.push_back({to, key, std::move(frame)});
    return {};
  }
  struct one {
    node_id to;
    std::uint64_t key;
    core::shared_bytes frame;
  };
  std::vector<one> sent;
  core::error answer;
};

class TopicRouter : public testing::Test {
protected:
  topic_subscription subscribe(std::string_view text, listener& to,
                               subscribe_options options = {}) {
    auto made = router_->subscribe("default", filter(text), to, options);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  publish_outcome publish(std::string_view name, std::string_view text,
                          std::uint64_t publisher = 0) {
    const auto outcome = router_->publish(publication(name, text, publisher));
    EXPECT_TRUE(outcome);
    return *outcome;
  }
  void peer_wants(std::uint32_t node, const std::string& text) {
    auto& board = router_->board();
    board.apply(*board.open_table(node_id{node}), {{"default", text, true}});
  }

  test_support::deterministic_system system_;
  std::shared_ptr<topic_router> router_ = std::make_shared<topic_router>(
      system_.system(), router_options{node_id{1}, {3, 100}, {}});
};

TEST_F(TopicRouter, DeliversToWhoListens) {
  listener a;
  listener b;
  const auto one = subscribe("news/+", a, {.tag = 7});
  const auto two = subscribe("news/#", b);
  EXPECT_EQ(publish("news/today", "rain").filters, 2U);
  EXPECT_EQ(publish("news", "none").filters, 1U);
  EXPECT_EQ(publish("other", "lost").filters, 0U);
  EXPECT_EQ(a.got, texts{"7 rain"});
  EXPECT_EQ(b.got, (texts{"0 rain", "0 none"}));
  EXPECT_EQ(a.all[0], b.all[0]); // shared
  EXPECT_EQ(a.all[0]->node, node_id{1});
  EXPECT_EQ(router_->stats().published, 3U);
  EXPECT_EQ(router_->stats().unmatched, 1U);
  EXPECT_EQ(router_->stats().delivered, 3U);
}

TEST_F(TopicRouter, EndsWithTheSubscription) {
  listener a;
  auto one = subscribe("x", a);
  auto two = std::move(one);
  EXPECT_FALSE(one); // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(router_->stats().subscriptions, 1U);
  two.end();
  EXPECT_EQ(publish("x", "late").filters, 0U);
  EXPECT_TRUE(a.got.empty());
  EXPECT_EQ(router_->stats().subscriptions, 0U);
  EXPECT_EQ(router_->board().own().filters, 0U);
}

TEST_F(TopicRouter, WhatNodesNeedAmongThemselvesIsNoSubscriptionOfAnybody) {
  listener a;
  listener all;
  const auto everything = subscribe("#", all);
  {
    const auto own = subscribe("$troupe/zenconn/counted/1/0", a);
    EXPECT_EQ(router_->stats().subscriptions, 1U);
    EXPECT_EQ(publish("$troupe/zenconn/counted/1/0", "3").filters, 1U);
  }
  EXPECT_EQ(a.got, texts{"0 3"});
  EXPECT_TRUE(all.got.empty());
  EXPECT_EQ(router_->stats().subscriptions, 1U);
}

TEST_F(TopicRouter, OnceASubscription) {
  listener a;
  const auto one = subscribe("x/+", a, {.tag = 1});
  const auto two = subscribe("x/y", a, {.tag = 2});
  const auto three = subscribe("x/y", a, {.tag = 3});
  publish("x/y", "z");
  EXPECT_EQ(a.got.size(), 3U);
  EXPECT_EQ(a.all[0], a.all[2]);
}

TEST_F(TopicRouter, WithoutWhatOneHasPublishedOneself) {
  listener a;
  listener b;
  const auto one = subscribe("x", a, {.no_local = true, .publisher = 5});
  const auto two = subscribe("x", b, {.no_local = false, .publisher = 5});
  publish("x", "mine", 5);
  publish("x", "another's", 6);
  // The same number on another node is somebody else.
  router_->receive(node_id{2}, encode(publication("x", "far", 5)));
  EXPECT_EQ(a.got, (texts{"0 another's", "0 far"}));
  EXPECT_EQ(b.got.size(), 3U);
}

TEST_F(TopicRouter, WhatADeliveryPublishesComesAfterIt) {
  listener a;
  listener b;
  const auto one = subscribe("x", a);
  const auto two = subscribe("+", b);
  a.then = [&] {
    a.then = {};
    publish("x", "second");
    EXPECT_EQ(a.got.size(), 1U);
  };
  publish("x", "first");
  EXPECT_EQ(a.got, (texts{"0 first", "0 second"}));
  EXPECT_EQ(b.got, (texts{"0 first", "0 second"}));
}

TEST_F(TopicRouter, ADeliveryMayEndItsSubscription) {
  listener a;
  auto one = subscribe("x", a);
  a.then = [&] { one.end(); };
  publish("x", "first");
  publish("x", "second");
  EXPECT_EQ(a.got, texts{"0 first"});
}

TEST_F(TopicRouter, OneOfThoseWhoShareGetsEach) {
  listener a;
  listener b;
  listener own;
  const auto one = subscribe("x/+", a, {.share = "g"});
  auto two = subscribe("x/+", b, {.share = "g"});
  const auto three = subscribe("x/#", own);
  for (int n = 0; n < 6; ++n)
    publish("x/y", std::to_string(n));
  EXPECT_EQ(a.got, (texts{"0 0", "0 2", "0 4"}));
  EXPECT_EQ(b.got, (texts{"0 1", "0 3", "0 5"}));
  EXPECT_EQ(own.got.size(), 6U);
  EXPECT_EQ(router_->stats().shared, 6U);
  two.end();
  publish("x/y", "6");
  publish("x/y", "7");
  EXPECT_EQ(a.got.size(), 5U);
}

TEST_F(TopicRouter, ATurnMayBeOnAnotherNode) {
  recording_transport transport;
  router_->set_transport(&transport);
  listener a;
  const auto one = subscribe("x", a, {.share = "g"});
  auto& board = router_->board();
  board.apply(*board.open_table(node_id{2}), {{"default", "x", true, "g", 2}});
  for (int n = 0; n < 6; ++n)
    publish("x", std::to_string(n));
  EXPECT_EQ(a.got, (texts{"0 0", "0 3"}));
  ASSERT_EQ(transport.sent.size(), 4U);
  const auto sent = decode_publication(transport.sent[1].frame, {});
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->what.payload.text(), "2");
  EXPECT_FALSE(sent->for_all);
  EXPECT_EQ(sent->turns, (std::vector<share_turn>{{"g", "x", 1}}));
  // Out of reach: the next one has it, and nobody misses a message.
  transport.answer = {errc::unavailable, {}};
  for (int n = 6; n < 9; ++n)
    publish("x", std::to_string(n));
  EXPECT_EQ(a.got.size(), 5U);
  EXPECT_EQ(router_->stats().shared_in_vain, 0U);
  router_->set_transport(nullptr);
}

TEST_F(TopicRouter, ATurnThatComesFromAnotherNodeIsForOneHere) {
  listener a;
  listener b;
  listener own;
  const auto one = subscribe("x", a, {.share = "g"});
  const auto two = subscribe("x", b, {.share = "g"});
  const auto three = subscribe("x", own);
  const auto what = publication("x", "far");
  router_->receive(node_id{2}, encode(what, false, {{"g", "x", 1}}));
  EXPECT_EQ(b.got, texts{"0 far"});
  EXPECT_TRUE(a.got.empty());
  EXPECT_TRUE(own.got.empty());
  router_->receive(node_id{2}, encode(what)); // nobody's turn
  EXPECT_EQ(own.got, texts{"0 far"});
  EXPECT_TRUE(a.got.empty());
  router_->receive(node_id{2}, encode(what, false, {{"gone", "x", 0}}));
  EXPECT_EQ(router_->stats().received_stray, 1U);
}

TEST_F(TopicRouter, RefusesWhatIsOutOfBounds) {
  listener a;
  const auto one = subscribe("1", a);
  const auto two = subscribe("2", a);
  const auto three = subscribe("3", a);
  const auto four = router_->subscribe("default", filter("4"), a);
  ASSERT_FALSE(four);
  EXPECT_EQ(four.error().code, errc::too_many);
  EXPECT_EQ(router_->stats().subscriptions_refused, 1U);
  const std::string large((std::size_t{20} << 20U) + 1, 'x');
  EXPECT_EQ(router_->publish(publication("1", large)).error().code,
            errc::too_large);
  EXPECT_EQ(router_->stats().refused, 1U);
  EXPECT_TRUE(a.got.empty());
}

TEST_F(TopicRouter, SendsOnceToEachNodeThatWantsIt) {
  recording_transport transport;
  router_->set_transport(&transport);
  listener a;
  const auto one = subscribe("x/#", a);
  peer_wants(2, "x/+");
  peer_wants(2, "x/y");
  peer_wants(3, "x/y");
  peer_wants(4, "z");
  const auto outcome = publish("x/y", "hello");
  EXPECT_EQ(outcome.peers, 2U);
  ASSERT_EQ(transport.sent.size(), 2U);
  const auto decoded = decode_publication(transport.sent[0].frame, {});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->what.payload.text(), "hello");
  EXPECT_EQ(a.got, texts{"0 hello"});
  // What comes from another node stays here.
  router_->receive(node_id{2}, transport.sent[0].frame);
  EXPECT_EQ(transport.sent.size(), 2U);
  EXPECT_EQ(a.got.size(), 2U);
  EXPECT_EQ(a.all[1]->node, node_id{2});
  router_->set_transport(nullptr);
}

TEST_F(TopicRouter, WhatIsForThisNodeGoesToNoOther) {
  recording_transport transport;
  router_->set_transport(&transport);
  peer_wants(2, "own/#");
  listener a;
  const auto one = subscribe("own/+", a);
  const auto outcome = router_->publish(publication("own/x", "1"), reach::node);
  EXPECT_EQ(outcome->filters, 1U);
  EXPECT_EQ(outcome->peers, 0U);
  EXPECT_TRUE(transport.sent.empty());
  EXPECT_EQ(a.got, texts{"0 1"});
  router_->set_transport(nullptr);
}

TEST_F(TopicRouter, CountsWhatANodeDoesNotGet) {
  recording_transport transport;
  router_->set_transport(&transport);
  peer_wants(2, "x");
  transport.answer = {errc::overloaded, {}};
  EXPECT_EQ(publish("x", "1").dropped, 1U);
  transport.answer = {errc::unavailable, {}};
  EXPECT_EQ(publish("x", "2").dropped, 1U);
  EXPECT_EQ(router_->stats().dropped_peer_full, 1U);
  EXPECT_EQ(router_->stats().dropped_peer_gone, 1U);
  EXPECT_EQ(router_->stats().sent, 0U);
  router_->receive(node_id{2}, core::shared_bytes::copy_of("?"));
  EXPECT_EQ(router_->stats().bad_frames, 1U);
  router_->receive(node_id{2}, encode(publication("x", "3")));
  EXPECT_EQ(router_->stats().received_stray, 1U);
  router_->set_transport(nullptr);
}

// ---------------------------------------------------------------- with loops

class TopicRouterOnLoops : public testing::Test {
protected:
  TopicRouterOnLoops() {
    runtime::runtime_options runtime;
    runtime.loops = 3;
    config_ = std::make_unique<runtime::runtime_config>(runtime);
    system_ = std::make_unique<caf::actor_system>(*config_);
    router_options options;
    options.self = node_id{1};
    options.waiting_bytes_max = 10'000;
    router_ = std::make_shared<topic_router>(*system_, options);
  }
  ~TopicRouterOnLoops() override { system_.reset(); }
  void on_loop(std::size_t index, const std::function<void()>& work) {
    std::promise<void> done;
    runtime::scheduler::of(*system_).at(index).post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  /// What is under way arrives: from loop to loop, and a turn's end.
  void settle() {
    for (int round = 0; round < 3; ++round)
      for (std::size_t i = 0; i < 3; ++i)
        on_loop(i, [] {});
  }

  std::unique_ptr<runtime::runtime_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  std::shared_ptr<topic_router> router_;
};

TEST_F(TopicRouterOnLoops, KeepsTheOrderOfAPublisherOnAllLoops) {
  std::map<std::size_t, listener> listeners;
  std::map<std::size_t, topic_subscription> subscriptions;
  for (std::size_t i = 0; i < 3; ++i)
    on_loop(i, [&] {
      subscriptions[i] = std::move(
          *router_->subscribe("default", filter("x/+"), listeners[i]));
    });
  texts expected;
  for (int n = 0; n < 200; ++n) {
    const auto text = std::to_string(n);
    expected.push_back("0 " + text);
    on_loop(1, [&] {
      EXPECT_EQ(router_->publish(publication("x/y", text))->dropped, 0U);
    });
    settle();
  }
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(listeners[i].got, expected) << i;
    on_loop(i, [&] { subscriptions[i].end(); });
  }
}

TEST_F(TopicRouterOnLoops, DropsWhatABusyLoopHasNoRoomFor) {
  listener busy;
  listener idle;
  topic_subscription one;
  topic_subscription two;
  on_loop(1, [&] {
    one = std::move(*router_->subscribe("default", filter("x"), busy));
  });
  on_loop(0, [&] {
    two = std::move(*router_->subscribe("default", filter("x"), idle));
  });
  std::promise<void> release;
  auto released = release.get_future();
  runtime::scheduler::of(*system_).at(1).post([&] { released.wait(); });
  std::size_t dropped = 0;
  for (int n = 0; n < 50; ++n)
    on_loop(0, [&] {
      dropped +=
          router_->publish(publication("x", std::string(743, 'x')))->dropped;
    });
  EXPECT_EQ(dropped, 40U); // 1,000 bytes each
  EXPECT_EQ(router_->stats().dropped_here, 40U);
  release.set_value();
  settle();
  EXPECT_EQ(busy.got.size(), 10U);
  EXPECT_EQ(idle.got.size(), 50U);
  on_loop(0, [&] {
    EXPECT_EQ(router_->publish(publication("x", "again"))->dropped, 0U);
  });
  settle();
  EXPECT_EQ(busy.got.size(), 11U);
  on_loop(1, [&] { one.end(); });
  on_loop(0, [&] { two.end(); });
}

TEST_F(TopicRouterOnLoops, SubscriptionsMayOutliveTheLoops) {
  auto a = std::make_unique<listener>();
  auto one = std::make_unique<topic_subscription>();
  on_loop(1, [&] {
    *one = std::move(*router_->subscribe("default", filter("x"), *a));
  });
  system_.reset();
  one.reset();
  EXPECT_EQ(router_->board().own().filters, 0U);
}

} // namespace
} // namespace troupe::actors::topics
