// SPDX-License-Identifier: Apache-2.0
// Clients whose sessions have no record, at one node and at several: one
// connection a client id, whoever leads its shard.
#include "schema/stored_sessions.hpp"
#include "tests/support/broker_fixture.hpp"
#include "tests/support/client_peer.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <random>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using core::errc;
using test_support::client_peer;

constexpr std::optional<core::milliseconds> clean{};
constexpr std::optional<core::milliseconds> lasting{1h};

// ------------------------------------------------------------------ one node

class Names : public test_support::broker_fixture {
protected:
  Names() { start(); }
  ~Names() override {
    for (auto& each : peers_)
      each->close();
    settle();
    peers_.clear();
  }
  client_peer& connect_client() {
    peers_.push_back(std::make_unique<client_peer>(system_.system(), context(),
                                                   1000 + peers_.size()));
    return *peers_.back();
  }
  client_peer& open(const std::string& name,
                    std::optional<core::milliseconds> expiry = clean) {
    auto& fresh = connect_client();
    fresh.open(name, expiry);
    settle();
    EXPECT_TRUE(fresh.opened());
    return fresh;
  }
  [[nodiscard]] std::uint64_t rows() {
    return context().stats.client_names.load();
  }
  [[nodiscard]] std::uint64_t clients() {
    return context().stats.clients_open.load();
  }

  std::vector<std::unique_ptr<client_peer>> peers_;
};

TEST_F(Names, TakeARowAndNoActor) {
  auto& one = open("a");
  auto& two = open("b");
  EXPECT_EQ(rows(), 2U);
  EXPECT_EQ(clients(), 2U);
  EXPECT_EQ(actors_of("client"), 0U);
  EXPECT_EQ(actors_of("inbox"), 0U);
  EXPECT_EQ(actors_of("desk"), 1U);
  const auto desk =
      system_.ask<std::string>(context().desks.front(), inspect{});
  ASSERT_TRUE(desk);
  EXPECT_NE(desk->find("\"clients\":2"), std::string::npos) << *desk;
  EXPECT_NE(desk->find("\"names_held\":2"), std::string::npos) << *desk;
  one.close();
  two.close();
  settle();
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(clients(), 0U);
}

TEST_F(Names, GoToTheNextConnection) {
  auto& one = open("a");
  auto& two = open("a");
  EXPECT_EQ(one.end(), errc::conflict);
  one.close(); // it has nothing to give back any more
  settle();
  EXPECT_EQ(rows(), 1U);
  EXPECT_EQ(clients(), 1U);
  auto& three = open("a");
  EXPECT_EQ(two.end(), errc::conflict);
  EXPECT_EQ(three.end(), errc::ok);
  EXPECT_EQ(context().stats.clients_taken_over.load(), 2U);
}

TEST_F(Names, OfAConnectionThatIsGoneBeforeTheAnswerAreFree) {
  auto& one = connect_client();
  one.open("a", clean);
  one.close();
  auto& two = connect_client();
  two.open("b", clean);
  run();
  two.close();
  settle();
  EXPECT_FALSE(one.opened());
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(clients(), 0U);
}

TEST_F(Names, AreGivenUpToASessionThatStays) {
  auto& one = open("a");
  auto& two = open("a", lasting);
  EXPECT_EQ(one.end(), errc::conflict);
  EXPECT_EQ(two.end(), errc::ok);
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(clients(), 1U);
}

TEST_F(Names, EndASessionThatStays) {
  auto& one = open("a", lasting);
  auto& two = open("a");
  EXPECT_EQ(one.end(), errc::conflict);
  EXPECT_EQ(two.end(), errc::ok);
  EXPECT_EQ(actors_of("client"), 2U) << "it has a record to end that";
  auto& three = open("a");
  EXPECT_EQ(two.end(), errc::conflict);
  one.close();
  two.close();
  three.close();
  advance(5s);
  EXPECT_EQ(actors_of("client"), 0U);
  auto& four = open("a");
  EXPECT_EQ(rows(), 1U) << "nothing is left of the record";
  EXPECT_EQ(four.end(), errc::ok);
}

TEST_F(Names, OfAConnectionThatIsGoneWhileItEndsASessionAreFree) {
  for (int messages = 0; messages < 12; ++messages) {
    open("a", lasting).close();
    settle();
    auto& one = connect_client();
    one.open("a", clean);
    for (int i = 0; i < messages; ++i)
      if (!system_.run_once())
        log_.flush();
    one.close();
    settle();
    EXPECT_EQ(clients(), 0U) << messages;
    advance(5s);
    EXPECT_EQ(actors_of("client"), 0U) << messages;
  }
}

TEST_F(Names, WithoutAShardAreRefusedInTime) {
  for (const auto& shard : context().shards)
    caf::anon_send_exit(shard, caf::exit_reason::kill);
  auto& one = connect_client();
  one.open("a", clean);
  advance(9s);
  EXPECT_TRUE(one.events.empty());
  advance(2s);
  ASSERT_EQ(one.all<core::client_opened>().size(), 1U);
  EXPECT_EQ(one.last<core::client_opened>().failure.code, errc::timed_out);
  EXPECT_EQ(clients(), 0U);
}

// ------------------------------------------------------------------- several

class ClusterNames : public test_support::cluster_fixture {
protected:
  explicit ClusterNames(std::size_t names_max = 1'000) {
    settings with;
    with.seed = 1; // the shards are led by different nodes
    with.adjust = [names_max](broker_options& o) {
      o.client_names_max = names_max;
    };
    start(with);
    EXPECT_TRUE(wait_for_leaders());
  }
  ~ClusterNames() override { peers_.clear(); }

  client_peer& connect_client(std::uint32_t at) {
    peers_.push_back(std::make_unique<client_peer>(
        system_.system(), node(at).context(), 1000 + peers_.size()));
    return *peers_.back();
  }
  client_peer& open(std::uint32_t at, const std::string& name,
                    std::optional<core::milliseconds> expiry = clean) {
    auto& fresh = connect_client(at);
    fresh.open(name, expiry);
    EXPECT_TRUE(wait_until([&] { return fresh.opened(); }));
    return fresh;
  }
  bool is_taken(const client_peer& one) {
    return wait_until([&] { return one.end() == errc::conflict; });
  }
  std::uint32_t leader(const std::string& name) {
    return leader_of(node(1)
                         .context()
                         .group_of({"default", core::owner_kind::session, name})
                         .value());
  }
  bool wait_for_another(const std::string& name, std::uint32_t than) {
    return wait_until([&] {
      const auto now = leader(name);
      return now != 0 && now != than && leader_of(0) != 0;
    });
  }
  /// At all nodes that are up.
  std::uint64_t rows() {
    std::uint64_t all = 0;
    for (const auto& each : nodes_)
      if (each->up)
        all += each->context().stats.client_names.load();
    return all;
  }
  static std::uint32_t after(std::uint32_t id) { return id % 3 + 1; }

  std::vector<std::unique_ptr<client_peer>> peers_;
};

TEST_F(ClusterNames, GoFromNodeToNode) {
  auto* last = &open(1, "a");
  for (const std::uint32_t at : {2U, 3U, 1U, 1U, 3U}) {
    auto& next = open(at, "a");
    EXPECT_TRUE(is_taken(*last));
    EXPECT_EQ(rows(), 1U);
    last = &next;
  }
  last->close();
  EXPECT_TRUE(wait_until([&] { return rows() == 0; }));
  for (std::uint32_t at = 1; at <= 3; ++at)
    EXPECT_EQ(node(at).context().stats.remote_inboxes.load(), 0U);
}

TEST_F(ClusterNames, AreEndedBySessionsThatStayAndEndThem) {
  for (std::uint32_t at = 1; at <= 3; ++at) {
    auto& one = open(at, "a", clean);
    auto& two = open(after(at), "a", lasting);
    EXPECT_TRUE(is_taken(one));
    EXPECT_EQ(rows(), 0U);
    auto& three = open(at, "a", clean);
    EXPECT_TRUE(is_taken(two));
    three.close();
    EXPECT_TRUE(wait_until([&] {
      auto& next = open(after(at), "a");
      const bool row = rows() == 1;
      next.close();
      advance(100ms);
      return row;
    })) << "nothing is left of its record";
  }
}

TEST_F(ClusterNames, AreClaimedAgainAtTheNextLeader) {
  const auto first = leader("a");
  auto& one = open(after(first), "a");
  auto& other = open(after(after(first)), "b");
  crash(first);
  ASSERT_TRUE(wait_for_another("a", first));
  EXPECT_TRUE(wait_until([&] { return rows() == 2; }));
  auto& two = open(after(after(first)), "a");
  EXPECT_TRUE(is_taken(one));
  EXPECT_EQ(two.end(), errc::ok);
  EXPECT_EQ(other.end(), errc::ok);
}

TEST_F(ClusterNames, OfALostNodeAreFree) {
  const auto led_by = leader("a");
  open(after(led_by), "a");
  auto& other = open(led_by, "b");
  peers_.front()->die();
  crash(after(led_by));
  EXPECT_TRUE(wait_until([&] { return rows() == 1; }));
  auto& two = open(led_by, "a");
  EXPECT_EQ(two.end(), errc::ok);
  EXPECT_EQ(other.end(), errc::ok);
}

TEST_F(ClusterNames, StayThroughALostLink) {
  const auto led_by = leader("a");
  auto& one = open(after(led_by), "a");
  links_.flap(core::node_id{led_by}, core::node_id{after(led_by)});
  settle();
  EXPECT_EQ(rows(), 0U);
  EXPECT_TRUE(wait_until([&] { return rows() == 1; }));
  EXPECT_EQ(one.end(), errc::ok);
  auto& two = open(led_by, "a");
  EXPECT_TRUE(is_taken(one));
  EXPECT_EQ(two.end(), errc::ok);
}

/// The one that is cut off keeps its client until it hears of the other.
TEST_F(ClusterNames, AfterAPartitionAreTheLaterOnes) {
  for (const bool at_leader : {true, false}) {
    const auto name = at_leader ? std::string{"a"} : std::string{"c"};
    const auto led_by = leader(name);
    const auto cut = at_leader ? led_by : after(led_by);
    auto& one = open(cut, name);
    network_.isolate(core::node_id{cut}, 3);
    advance(3s);
    ASSERT_TRUE(wait_until([&] {
      const auto now = leader(name);
      return now != 0 && now != cut;
    }));
    auto& two = open(after(cut), name);
    EXPECT_EQ(one.end(), errc::ok);
    network_.heal();
    EXPECT_TRUE(is_taken(one));
    EXPECT_EQ(two.end(), errc::ok);
    ASSERT_TRUE(wait_for_leaders());
  }
}

TEST_F(ClusterNames, FindTheirWayThroughAFullLink) {
  const auto led_by = leader("a");
  for (const std::size_t refused : {1U, 2U, 3U, 4U, 7U}) {
    auto& one = open(after(led_by), "a");
    links_.names_refused = refused;
    auto& two = open(after(after(led_by)), "a");
    EXPECT_TRUE(is_taken(one)) << refused;
    links_.names_refused = refused;
    two.close();
    EXPECT_TRUE(wait_until([&] { return rows() == 0; })) << refused;
  }
}

TEST_F(ClusterNames, AreAskedForAgainWithoutAnAnswer) {
  const auto led_by = leader("a");
  int lost = 0;
  links_.names_filter = [&](core::node_id, core::node_id, names::names_way) {
    return ++lost > 1;
  };
  auto& one = open(after(led_by), "a");
  EXPECT_GT(lost, 1);
  EXPECT_EQ(one.end(), errc::ok);
}

class FewNames : public ClusterNames {
protected:
  FewNames() : ClusterNames(1) {}
};

TEST_F(FewNames, RefuseWhoComesTooLate) {
  auto& one = open(1, "a");
  for (std::uint32_t at = 1; at <= 3; ++at) {
    auto& two = connect_client(at);
    two.open("c", clean); // of the same shard
    EXPECT_TRUE(wait_until([&] { return !two.events.empty(); }));
    EXPECT_EQ(two.last<core::client_opened>().failure.code, errc::overloaded);
  }
  one.close();
  EXPECT_TRUE(wait_until([&] { return rows() == 0; }));
  EXPECT_EQ(open(2, "c").end(), errc::ok);
}

/// Whatever happens to leaders, nodes and links: in the end a name is with the
/// last one who got it, and nobody else.
class AnyNames : public ClusterNames,
                 public testing::WithParamInterface<std::uint64_t> {};

TEST_P(AnyNames, EndWithTheLastOneWhoGotThem) {
  std::mt19937_64 random{GetParam()};
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const std::array<std::string, 4> some{"a", "b", "c", "d"};
  std::map<std::string, client_peer*> last;
  std::vector<client_peer*> all;
  for (int round = 0; round < 25; ++round) {
    const auto victim = static_cast<std::uint32_t>(below(3) + 1);
    const auto fault = below(5);
    if (fault == 0)
      network_.isolate(core::node_id{victim}, 3);
    if (fault == 1)
      links_.flap(core::node_id{victim}, core::node_id{after(victim)});
    if (fault == 2)
      links_.names_refused = below(5);
    for (int step = 0; step < 4; ++step) {
      const auto& name = some.at(below(some.size()));
      auto& fresh = connect_client(static_cast<std::uint32_t>(below(3) + 1));
      fresh.open(name, below(5) == 0 ? lasting : clean);
      // One that takes longer may be overtaken: which of both is the later
      // one is up to the shard.
      wait_until([&] { return !fresh.all<core::client_opened>().empty(); },
                 15s);
      all.push_back(&fresh);
      if (fresh.opened())
        last[name] = &fresh;
      else
        fresh.close();
      if (below(4) == 0) {
        auto& gone = *all.at(below(all.size()));
        for (auto& [of, who] : last)
          if (who == &gone)
            who = nullptr;
        gone.close();
      }
      advance(core::milliseconds{below(20) * 10});
    }
    network_.heal();
    links_.names_refused = 0;
  }
  ASSERT_TRUE(wait_for_leaders());
  advance(15s);
  std::size_t open_now = 0;
  for (auto* each : all) {
    bool is_last = false;
    for (const auto& [name, who] : last)
      is_last = is_last || who == each;
    open_now += is_last ? 1 : 0;
    const bool stays = each->end() == errc::ok;
    // Not found: it has a record, and was out of reach for too long.
    EXPECT_TRUE(!is_last || stays || each->end() == errc::not_found);
    EXPECT_TRUE(is_last || !each->opened() || each->closed() || !stays);
  }
  EXPECT_LE(rows(), open_now);
  for (auto* each : all)
    each->close();
  EXPECT_TRUE(wait_until([&] { return rows() == 0; }));
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyNames, testing::Range<std::uint64_t>(1, 9));

} // namespace
} // namespace troupe::actors
