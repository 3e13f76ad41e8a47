// SPDX-License-Identifier: Apache-2.0
// Clients whose sessions are led by other nodes.
#include "schema/stored_sessions.hpp"
#include "tests/support/client_peer.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <set>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using core::errc;
using test_support::client_peer;
using test_support::publish_to_sessions;
using texts = std::vector<std::string>;

class RemoteClient : public test_support::cluster_fixture {
protected:
  RemoteClient() {
    settings with;
    with.seed = 1; // the shards are led by different nodes
    start(with);
    EXPECT_TRUE(wait_for_leaders());
  }
  ~RemoteClient() override { peers_.clear(); }

  client_peer& connect_client(std::uint32_t at) {
    peers_.push_back(std::make_unique<client_peer>(
        system_.system(), node(at).context(), 1000 + peers_.size()));
    return *peers_.back();
  }
  client_peer& open(std::uint32_t at, const std::string& name,
                    std::optional<core::milliseconds> expiry = 1h) {
    auto& fresh = connect_client(at);
    fresh.open(name, expiry);
    EXPECT_TRUE(wait_until([&] { return fresh.opened(); }));
    return fresh;
  }
  void subscribe(client_peer& of, const std::string& filter,
                 std::uint8_t qos = 1) {
    const auto before = of.all<core::client_routed>().size();
    of.subscribe(filter, qos);
    EXPECT_TRUE(wait_until(
        [&] { return of.all<core::client_routed>().size() > before; }));
    EXPECT_EQ(of.last<core::client_routed>().failure.code, errc::ok);
  }
  std::shared_ptr<std::optional<errc>> ask_publish(std::uint32_t at,
                                                   const std::string& topic,
                                                   const std::string& text) {
    auto outcome = std::make_shared<std::optional<errc>>();
    publish_to_sessions(node(at).context(), topic, text, outcome);
    return outcome;
  }
  void publish(std::uint32_t at, const std::string& topic,
               const std::string& text) {
    const auto outcome = ask_publish(at, topic, text);
    EXPECT_TRUE(wait_until([&] { return outcome->has_value(); }));
    EXPECT_EQ(*outcome, errc::ok);
  }
  std::uint16_t shard_of(const std::string& name) {
    return node(1)
        .context()
        .group_of({"default", core::owner_kind::session, name})
        .value();
  }
  std::uint32_t leader(const std::string& name) {
    return leader_of(shard_of(name));
  }
  std::optional<core::session_record> record(const std::string& name) {
    const auto at = leader(name);
    return schema::stored_sessions{*node(at).spaces[shard_of(name)]}.session(
        {"default", core::owner_kind::session, name});
  }
  static std::uint32_t after(std::uint32_t id) { return id % 3 + 1; }

  std::vector<std::unique_ptr<client_peer>> peers_;
};

TEST_F(RemoteClient, IsEndedByTheNextOneOfItsNameOnAnotherNode) {
  for (const auto& expiry :
       {std::optional<core::milliseconds>{}, {core::milliseconds{1h}}}) {
    auto& one = open(1, "a", expiry);
    auto& two = open(2, "a", expiry);
    EXPECT_TRUE(wait_until([&] { return one.end() != errc::ok; }));
    EXPECT_EQ(one.end(), errc::conflict);
    auto& three = open(3, "a", expiry);
    EXPECT_TRUE(wait_until([&] { return two.end() != errc::ok; }));
    EXPECT_EQ(two.end(), errc::conflict);
    EXPECT_EQ(three.end(), errc::ok);
    three.close();
    advance(100ms);
  }
}

TEST_F(RemoteClient, GoesOnAtAnotherNode) {
  auto& one = open(1, "a");
  subscribe(one, "t/*");
  one.close();
  advance(200ms);
  publish(2, "t/1", "x");
  publish(3, "t/2", "y");
  auto& two = open(3, "a");
  EXPECT_TRUE(two.last<core::client_opened>().present);
  EXPECT_EQ(two.last<core::client_opened>().routes.size(), 1U);
  EXPECT_TRUE(wait_until([&] { return two.texts().size() == 2; }));
  EXPECT_EQ(two.texts(), (texts{"x", "y"}));
}

/// What is published while the routes of its node may be old waits; what
/// comes when they are fresh again does not get past that.
TEST_F(RemoteClient, GetsInOrderWhatWasPublishedWhileRoutesWereOld) {
  auto& one = open(1, "one");
  subscribe(one, "a");
  auto& at = node(2).context();
  const auto queued = [&at](const std::string& text) {
    core::publication what;
    what.topic = *core::topic::parse("a");
    what.payload = core::shared_bytes::copy_of(text);
    queued_publication made;
    made.message = message_of(what, 1, false);
    made.to =
        recipients_of(at.directory->routes()->match("default", what.topic), 0);
    return made;
  };
  std::vector<errc> outcomes;
  courier_order order;
  order.work = [&](courier_state& by) {
    const auto done = [&](errc code) { outcomes.push_back(code); };
    const auto heard = at.directory_heard.exchange(0);
    for (const char* text : {"1", "2"})
      by.queue_when_fresh([=] { return queued(text); }, done);
    by.queue(queued("3"), done); // by routes that were fresh
    at.directory_heard.store(heard);
    by.queue(queued("4"), done);
    by.queue_when_fresh([=] { return queued("5"); }, done);
  };
  caf::anon_send(at.couriers.front(), std::move(order));
  EXPECT_TRUE(wait_until([&] { return outcomes.size() == 5; }));
  EXPECT_EQ(outcomes, std::vector<errc>(5, errc::ok));
  EXPECT_TRUE(wait_until([&] { return one.texts().size() == 5; }));
  EXPECT_EQ(one.texts(), (texts{"1", "2", "3", "4", "5"}));
}

/// The cursor and the packet id of a message of QoS 2 are kept together,
/// whatever of it gets through before the client's node is gone.
TEST_F(RemoteClient, OfANodeThatDiesLosesNothingThatIsNotReleased) {
  const std::string name = "a";
  const auto at = after(leader(name));
  auto& one = open(at, name);
  subscribe(one, "t", 2);
  publish(after(at), "t", "x");
  EXPECT_TRUE(wait_until([&] { return one.texts().size() == 1; }));
  // Proposals are lost from now on; what goes by other ways is not.
  network_.filter = [at](core::node_id from, core::node_id, core::group_id,
                         group_frame_kind kind) {
    return from != core::node_id{at} || kind != group_frame_kind::proposals;
  };
  one.send(
      core::settle_client{one.last<core::client_delivery>().position, {7}});
  advance(1s);
  EXPECT_TRUE(one.all<core::client_released>().empty());
  one.die();
  advance(10ms);
  network_.filter = {};
  auto& two = open(after(at), name);
  const auto found = two.last<core::client_opened>();
  EXPECT_TRUE(found.present);
  EXPECT_TRUE(wait_until([&] {
    return two.texts().size() == 1 || !found.awaiting.empty();
  })) << "nobody knows of it any more";
}

TEST_F(RemoteClient, StaysWhileItsLeaderIsGone) {
  const auto first = leader("a");
  auto& one = open(after(first), "a");
  subscribe(one, "t");
  publish(after(first), "t", "1");
  EXPECT_TRUE(wait_until([&] { return one.texts().size() == 1; }));
  crash(first);
  EXPECT_TRUE(wait_until([&] {
    const auto now = leader("a");
    return now != 0 && now != first && leader_of(0) != 0;
  }));
  publish(after(after(first)), "t", "2");
  EXPECT_TRUE(wait_until([&] { return one.texts().size() == 2; }));
  one.settle();
  advance(10s);
  EXPECT_EQ(one.end(), errc::ok);
  EXPECT_FALSE(record("a")->closed);
}

TEST_F(RemoteClient, OfANodeThatDiesIsFreed) {
  const auto led_by = leader("a");
  open(after(led_by), "a");
  peers_.back()->die();
  crash(after(led_by));
  EXPECT_TRUE(wait_until(
      [&] { return leader("a") != 0 && record("a") && record("a")->closed; }));
}

TEST_F(RemoteClient, OfALeaderThatDiesIsFreedByTheNext) {
  const auto led_by = leader("a");
  open(led_by, "a");
  peers_.back()->die();
  crash(led_by);
  EXPECT_TRUE(wait_until(
      [&] { return leader("a") != 0 && record("a") && record("a")->closed; }));
}

TEST_F(RemoteClient, ThatWasTakenForGoneOpensItsRecordAgain) {
  const auto led_by = leader("a");
  const auto at = after(led_by);
  auto& one = open(at, "a");
  subscribe(one, "t");
  links_.filter = [&](core::node_id from, core::node_id to, attachment_way,
                      core::shared_bytes&) {
    return from != core::node_id{at} && to != core::node_id{at};
  };
  links_.flap(core::node_id{led_by}, core::node_id{at});
  EXPECT_TRUE(wait_until([&] { return record("a")->closed.has_value(); }));
  links_.filter = nullptr;
  EXPECT_TRUE(wait_until([&] { return !record("a")->closed; }));
  publish(led_by, "t", "x");
  EXPECT_TRUE(wait_until([&] { return one.texts() == texts{"x"}; }));
  EXPECT_EQ(one.end(), errc::ok);
}

/// Sessions move between nodes, leaders die, links break; whatever was
/// acknowledged to its publisher comes, in order, and only what was not
/// acknowledged comes again.
class MovingClients : public RemoteClient,
                      public testing::WithParamInterface<std::uint64_t> {};

TEST_P(MovingClients, LoseNothingThatWasAcknowledged) {
  std::mt19937_64 random{GetParam()};
  const auto below = [&](std::uint64_t n) { return random() % n; };
  auto* client = &open(1, "a");
  subscribe(*client, "t");
  std::set<std::string> got;
  std::size_t looked_at = 0;
  const auto look = [&] {
    for (const auto all = client->texts(); looked_at < all.size(); ++looked_at)
      got.insert(all[looked_at]);
  };
  std::vector<std::pair<std::string, std::shared_ptr<std::optional<errc>>>>
      asked;
  std::uint32_t at = 1;
  for (int round = 0; round < 10; ++round) {
    const auto victim = static_cast<std::uint32_t>(below(3) + 1);
    const auto fault = below(3);
    if (fault == 0)
      network_.isolate(core::node_id{victim}, 3);
    if (fault == 1)
      links_.flap(core::node_id{victim}, core::node_id{after(victim)});
    for (int step = 0; step < 20; ++step) {
      const auto text = std::to_string(asked.size());
      asked.emplace_back(
          text,
          ask_publish(static_cast<std::uint32_t>(below(3) + 1), "t", text));
      advance(core::milliseconds{below(8) * 10});
      look();
      if (below(3) == 0)
        client->settle();
    }
    if (fault == 0)
      network_.heal();
    if (below(2) == 0 || client->end() != errc::ok) {
      look();
      client->close();
      at = static_cast<std::uint32_t>(below(3) + 1);
      looked_at = 0;
      client = &open(at, "a");
      EXPECT_TRUE(client->last<core::client_opened>().present);
    }
  }
  EXPECT_TRUE(wait_until([&] {
    return std::all_of(asked.begin(), asked.end(),
                       [](const auto& one) { return one.second->has_value(); });
  }));
  EXPECT_TRUE(wait_until([&] {
    look();
    client->settle();
    return std::all_of(asked.begin(), asked.end(), [&](const auto& one) {
      return **one.second != errc::ok || got.contains(one.first);
    });
  }));
  EXPECT_GT(
      std::count_if(asked.begin(), asked.end(),
                    [](const auto& one) { return **one.second == errc::ok; }),
      100);
}

INSTANTIATE_TEST_SUITE_P(Seeds, MovingClients,
                         testing::Range<std::uint64_t>(1, 9));

} // namespace
} // namespace troupe::actors
