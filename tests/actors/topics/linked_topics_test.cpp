// SPDX-License-Identifier: Apache-2.0
// Publish and subscribe on several nodes, over real links.
#include "actors/topics/linked_topics.hpp"
#include "tests/actors/links/link_node.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::actors::topics {
namespace {

using namespace std::chrono_literals;
using core::node_id;
using test_support::eventually;
using test_support::link_node;
using texts = std::vector<std::string>;

core::topic_filter filter(std::string_view text) {
  return *core::topic_filter::parse(text);
}

/// A node's part in publish and subscribe, without the rest.
class topic_node {
public:
  explicit topic_node(std::uint32_t id, linked_topics_options options = {}) {
    node_ = std::make_unique<link_node>(link_node::settings{
        .id = id,
        .prepare_with_system =
            [&](caf::actor_system& system, links::node_links& links) {
              router_options with;
              with.self = node_id{id};
              router_ = std::make_shared<topic_router>(system, with);
              topics_ = std::make_unique<linked_topics>(system, router_, links,
                                                        options);
            },
        .kinds = {links::kind::raft}});
  }
  ~topic_node() {
    topics_->stop();
    node_.reset();
  }
  topic_node(const topic_node&) = delete;
  topic_node& operator=(const topic_node&) = delete;

  [[nodiscard]] link_node& links() { return *node_; }
  [[nodiscard]] topic_router& router() { return *router_; }
  [[nodiscard]] linked_topics& topics() { return *topics_; }
  [[nodiscard]] node_id id() const { return node_->id(); }

  void meet(topic_node& other) { node_->meet(*other.node_); }
  void part(topic_node& other) {
    node_->links().forget_peer(other.id());
    other.node_->links().forget_peer(id());
  }
  [[nodiscard]] bool linked_to(const topic_node& other) const {
    return node_->linked_to(*other.node_);
  }
  publish_outcome publish(std::string_view name, std::string_view text,
                          std::size_t loop = 0) {
    publish_outcome outcome;
    node_->on_loop(loop, [&] {
      core::publication p;
      p.topic = *core::topic::parse(name);
      p.publisher = loop + 1;
      p.payload = core::shared_bytes::copy_of(text);
      outcome = *router_->publish(std::move(p));
    });
    return outcome;
  }
  /// Filters of other nodes, as they are known here.
  [[nodiscard]] std::set<std::string> wanted_by(node_id other) const {
    std::set<std::string> all;
    cluster::interest_board::page_mark mark;
    std::vector<cluster::interest_board::row> rows;
    while (router_->board().list(mark, 1'000'000, rows)) {
    }
    for (const auto& row : rows)
      if (std::count(row.peers.begin(), row.peers.end(), other) > 0)
        all.insert(row.filter);
    return all;
  }
  [[nodiscard]] std::set<std::string> own() const {
    std::set<std::string> all;
    cluster::interest_board::page_mark mark;
    std::vector<cluster::interest_board::row> rows;
    while (router_->board().list(mark, 1'000'000, rows)) {
    }
    for (const auto& row : rows)
      if (row.held > 0)
        all.insert(row.filter);
    return all;
  }
  /// What this one wants is known there, and the other way round.
  [[nodiscard]] bool agrees_with(const topic_node& other) const {
    return wanted_by(other.id()) == other.own() &&
           other.wanted_by(id()) == own();
  }

private:
  std::shared_ptr<topic_router> router_;
  std::unique_ptr<linked_topics> topics_;
  std::unique_ptr<link_node> node_;
};

/// On one loop of a node; the test looks.
class listener final : public topic_subscriber {
public:
  listener(topic_node& at, std::size_t loop, std::string_view text,
           const std::string& share = {})
      : at_(at), loop_(loop), filter_(filter(text)) {
    at_.links().on_loop(loop_, [&] {
      auto made =
          at_.router().subscribe("default", filter_, *this, {.share = share});
      ASSERT_TRUE(made);
      subscription_ = std::move(*made);
    });
  }
  ~listener() {
    at_.links().on_loop(loop_, [&] { subscription_.end(); });
  }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  void deliver(const core::publication_ptr& what, std::uint64_t) override {
    const std::lock_guard lock{mutex_};
    got_.emplace_back(what->payload.text());
  }
  [[nodiscard]] texts got() const {
    const std::lock_guard lock{mutex_};
    return got_;
  }
  void forget() {
    const std::lock_guard lock{mutex_};
    got_.clear();
  }
  [[nodiscard]] const core::topic_filter& wants() const { return filter_; }
  [[nodiscard]] topic_node& at() const { return at_; }

private:
  topic_node& at_;
  const std::size_t loop_;
  const core::topic_filter filter_;
  topic_subscription subscription_;
  mutable std::mutex mutex_;
  texts got_;
};

TEST(LinkedTopics, APublicationGoesToTheNodeThatListens) {
  topic_node one{1};
  topic_node two{2};
  topic_node three{3};
  one.meet(two);
  one.meet(three);
  two.meet(three);
  listener far{two, 1, "news/+"};
  listener other{three, 0, "other"};
  ASSERT_TRUE(eventually([&] {
    return one.agrees_with(two) && one.agrees_with(three) &&
           two.agrees_with(three);
  }));
  const auto outcome = one.publish("news/today", "rain", 1);
  EXPECT_EQ(outcome.peers, 1U);
  EXPECT_TRUE(eventually([&] { return far.got() == texts{"rain"}; }));
  EXPECT_EQ(one.router().stats().sent, 1U);
  EXPECT_EQ(two.router().stats().received, 1U);
  EXPECT_EQ(two.router().stats().sent, 0U); // not passed on
  EXPECT_EQ(three.router().stats().received, 0U);
  EXPECT_EQ(one.publish("nobody", "lost").peers, 0U);
}

TEST(LinkedTopics, WhatIsHeldWhenItSettlesIsKnownEverywhere) {
  topic_node one{1};
  topic_node two{2};
  topic_node three{3};
  const auto settled = [](topic_node& at) {
    std::promise<bool> answer;
    at.topics().settle([&answer](bool all) { answer.set_value(all); });
    return answer.get_future().get();
  };
  EXPECT_TRUE(settled(one)); // nobody to be waited for
  one.meet(two);
  one.meet(three);
  ASSERT_TRUE(eventually([&] {
    return one.linked_to(two) && one.linked_to(three) && two.linked_to(one) &&
           three.linked_to(one);
  }));
  for (int round = 0; round < 50; ++round) {
    const auto name = "a/" + std::to_string(round);
    const listener here{one, static_cast<std::size_t>(round) % 2, name};
    ASSERT_TRUE(settled(one));
    EXPECT_EQ(two.publish(name, "x").peers, 1U);
    EXPECT_EQ(three.publish(name, "x").peers, 1U);
  }
  EXPECT_EQ(one.topics().stats().unsettled, 0U);
}

TEST(LinkedTopics, OneOfThoseWhoShareGetsEachWhereverItIs) {
  topic_node one{1};
  topic_node two{2};
  one.meet(two);
  listener here{one, 0, "jobs", "crew"};
  listener there{two, 0, "jobs", "crew"};
  listener beside{two, 1, "jobs", "crew"};
  listener all{two, 0, "jobs"};
  const auto seen = [](topic_node& at) {
    cluster::audience found;
    at.router().board().find("default", *core::topic::parse("jobs"), found);
    return found.shares.empty() ? 0U : found.shares[0].members();
  };
  ASSERT_TRUE(eventually([&] { return seen(one) == 3 && seen(two) == 3; }));
  constexpr std::size_t rounds = 30;
  for (std::size_t n = 0; n < rounds; ++n) {
    one.publish("jobs", "from one");
    two.publish("jobs", "from two");
  }
  const auto got = [&] {
    return here.got().size() + there.got().size() + beside.got().size();
  };
  ASSERT_TRUE(eventually(
      [&] { return got() == 2 * rounds && all.got().size() == 2 * rounds; }));
  for (const auto* each : {&here, &there, &beside})
    EXPECT_EQ(each->got().size(), 2 * rounds / 3);
}

TEST(LinkedTopics, TheEndOfASubscriptionStopsTheFrames) {
  topic_node one{1};
  topic_node two{2};
  one.meet(two);
  auto first = std::make_unique<listener>(two, 0, "x");
  auto second = std::make_unique<listener>(two, 1, "x");
  ASSERT_TRUE(eventually([&] {
    return one.own().empty() && one.wanted_by(two.id()).size() == 1;
  }));
  first.reset();
  EXPECT_EQ(one.publish("x", "still").peers, 1U);
  EXPECT_TRUE(eventually([&] { return second->got() == texts{"still"}; }));
  second.reset();
  ASSERT_TRUE(eventually([&] { return one.wanted_by(two.id()).empty(); }));
  EXPECT_EQ(one.publish("x", "lost").peers, 0U);
  EXPECT_EQ(two.router().stats().received, 1U);
}

TEST(LinkedTopics, ANewLinkBeginsWithAllThereIs) {
  topic_node one{1};
  topic_node two{2};
  one.meet(two);
  listener early{two, 0, "early/#"};
  ASSERT_TRUE(eventually([&] { return one.agrees_with(two); }));
  one.part(two);
  ASSERT_TRUE(eventually(
      [&] { return one.wanted_by(two.id()).empty() && !one.linked_to(two); }));
  EXPECT_EQ(one.publish("early/x", "lost").peers, 0U);
  listener late{two, 1, "late"};
  std::vector<std::unique_ptr<listener>> many;
  for (int i = 0; i < 3'000; ++i)
    many.push_back(std::make_unique<listener>(
        two, 0, "a/filter/of/so/many/" + std::to_string(i)));
  one.meet(two);
  ASSERT_TRUE(eventually([&] { return one.agrees_with(two); }));
  EXPECT_EQ(one.wanted_by(two.id()).size(), 3'002U);
  one.publish("early/x", "1");
  one.publish("late", "2");
  one.publish("a/filter/of/so/many/2999", "3");
  EXPECT_TRUE(eventually([&] {
    return early.got() == texts{"1"} && late.got() == texts{"2"} &&
           many.back()->got() == texts{"3"};
  }));
  EXPECT_EQ(one.topics().stats().received.gaps, 0U);
  EXPECT_EQ(one.topics().stats().received.divergences, 0U);
}

TEST(LinkedTopics, DigestsAreComparedNowAndThen) {
  linked_topics_options often;
  often.digest_interval = 10ms;
  topic_node one{1, often};
  topic_node two{2, often};
  one.meet(two);
  listener a{two, 0, "a"};
  ASSERT_TRUE(eventually([&] { return one.agrees_with(two); }));
  ASSERT_TRUE(
      eventually([&] { return one.topics().stats().received.digests >= 2; }));
  EXPECT_EQ(one.topics().stats().received.divergences, 0U);
  // Somebody spoils the table, which is the first one there.
  one.router().board().apply(0, {{"default", "a", false}});
  ASSERT_TRUE(eventually([&] {
    return one.topics().stats().received.divergences >= 1 &&
           one.agrees_with(two);
  }));
  EXPECT_GE(one.topics().stats().received.resyncs, 1U);
}

TEST(LinkedTopics, ASlowNodeIsBoundedAndSlowsNobody) {
  topic_node one{1};
  topic_node two{2};
  topic_node three{3};
  one.meet(two);
  one.meet(three);
  listener slow{two, 0, "x"};
  listener fast{three, 0, "x"};
  ASSERT_TRUE(eventually(
      [&] { return one.agrees_with(two) && one.agrees_with(three); }));
  // The loop of node two that takes from its links does nothing else.
  std::promise<void> release;
  auto released = release.get_future();
  two.links().loops().at(0).post([&] { released.wait(); });
  const std::string body(100'000, 'x');
  std::size_t to_three = 0;
  for (int i = 0; i < 300 && one.router().stats().dropped_peer_full == 0; ++i) {
    one.publish("x", body);
    ++to_three;
    // At the pace of the fast one.
    ASSERT_TRUE(eventually([&] { return fast.got().size() == to_three; }));
  }
  EXPECT_GT(one.router().stats().dropped_peer_full, 0U);
  // What is durable still has room in the same lane.
  one.links().on_loop(1, [&] {
    EXPECT_TRUE(one.links().links().send(
        two.id(), links::kind::raft_entries, 1,
        core::shared_bytes::copy_of(std::string(1'000'000, 'r'))));
  });
  release.set_value();
  EXPECT_TRUE(eventually([&] { return !slow.got().empty(); }));
}

// ------------------------------------------------------------------- by seed

class LinkedTopicsSeeds : public testing::TestWithParam<std::uint64_t> {};

/// Three nodes, whose subscribers come and go while all publish and links
/// break. A publication says who made it and its number; nobody may get one
/// twice or out of order; and while all is at rest everybody gets everything.
TEST_P(LinkedTopicsSeeds, AtMostOnceInOrderAndAllWhileLinksStand) {
  const auto seed = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  const auto below = [&](std::size_t end) {
    return std::uniform_int_distribution<std::size_t>{0, end - 1}(random);
  };
  const texts filters{"a/b", "a/+", "a/#", "#", "b/c*", "b/cd", "+/b", "c"};
  const texts names{"a/b", "a/c", "b/cd", "b/cx/y", "c", "a", "z"};
  std::vector<std::unique_ptr<topic_node>> nodes;
  for (std::uint32_t id = 1; id <= 3; ++id)
    nodes.push_back(std::make_unique<topic_node>(id));
  std::map<std::pair<std::size_t, std::size_t>, bool> linked;
  const auto set_link = [&](std::size_t i, std::size_t j, bool on) {
    if (linked[{i, j}] == on)
      return;
    linked[{i, j}] = on;
    if (on)
      nodes[i]->meet(*nodes[j]);
    else
      nodes[i]->part(*nodes[j]);
  };
  std::vector<std::unique_ptr<listener>> listeners;
  std::map<std::string, int> last; // by publisher
  struct made {
    std::size_t node;
    std::string name;
    std::string text;
  };
  const auto publish = [&] {
    const auto node = below(3);
    const auto loop = below(2);
    const auto& name = names[below(names.size())];
    const auto who = std::to_string(node) + "." + std::to_string(loop);
    made one{node, name, who + " " + std::to_string(++last[who])};
    nodes[node]->publish(name, one.text, loop);
    return one;
  };
  const auto change = [&] {
    if (below(2) == 0 || listeners.empty()) {
      listeners.push_back(std::make_unique<listener>(
          *nodes[below(3)], below(2), filters[below(filters.size())]));
    } else {
      std::swap(listeners.back(), listeners[below(listeners.size())]);
      listeners.pop_back();
    }
  };
  const auto check_order = [&](const listener& each) {
    std::map<std::string, int> before;
    for (const auto& text : each.got()) {
      const auto blank = text.find(' ');
      const auto number = std::stoi(text.substr(blank + 1));
      auto& newest = before[text.substr(0, blank)];
      EXPECT_GT(number, newest) << "twice or out of order: " << text;
      newest = number;
    }
  };
  for (int phase = 0; phase < 4; ++phase) {
    // The storm.
    for (int step = 0; step < 150; ++step) {
      switch (below(8)) {
      case 0:
      case 1:
        change();
        break;
      case 2:
        if (below(6) == 0) {
          const auto i = below(2);
          set_link(i, i + 1 + below(2 - i), below(2) == 0);
        }
        break;
      default:
        publish();
      }
    }
    // And the rest.
    for (std::size_t i = 0; i < 3; ++i)
      for (auto j = i + 1; j < 3; ++j)
        set_link(i, j, true);
    ASSERT_TRUE(eventually([&] {
      return nodes[0]->agrees_with(*nodes[1]) &&
             nodes[0]->agrees_with(*nodes[2]) &&
             nodes[1]->agrees_with(*nodes[2]);
    }));
    // Behind these nothing of the storm is under way.
    std::vector<std::unique_ptr<listener>> markers;
    for (auto& node : nodes)
      for (std::size_t loop = 0; loop < 2; ++loop)
        markers.push_back(std::make_unique<listener>(*node, loop, "$marker"));
    ASSERT_TRUE(eventually([&] {
      return nodes[0]->agrees_with(*nodes[1]) &&
             nodes[0]->agrees_with(*nodes[2]) &&
             nodes[1]->agrees_with(*nodes[2]);
    }));
    for (auto& node : nodes)
      for (std::size_t loop = 0; loop < 2; ++loop)
        node->publish("$marker", "m", loop);
    for (auto& marker : markers)
      ASSERT_TRUE(eventually([&] { return marker->got().size() == 6; }));
    for (auto& each : listeners) {
      check_order(*each);
      each->forget();
    }
    std::vector<made> all;
    for (int i = 0; i < 100; ++i)
      all.push_back(publish());
    for (auto& each : listeners) {
      std::size_t expected = 0;
      for (const auto& one : all)
        expected +=
            each->wants().matches(*core::topic::parse(one.name)) ? 1U : 0U;
      EXPECT_TRUE(eventually([&] { return each->got().size() >= expected; }))
          << each->wants().text() << " at " << each->at().id().value();
      EXPECT_EQ(each->got().size(), expected);
      check_order(*each);
    }
  }
  for (auto& node : nodes) {
    const auto& stats = node->router().stats();
    EXPECT_EQ(stats.bad_frames, 0U);
    EXPECT_EQ(stats.dropped_here, 0U);
    EXPECT_EQ(node->topics().stats().received.divergences, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LinkedTopicsSeeds,
                         testing::Range<std::uint64_t>(1, 7));

} // namespace
} // namespace troupe::actors::topics
