// SPDX-License-Identifier: Apache-2.0
#include "actors/client_actor.hpp"
#include "schema/stored_sessions.hpp"
#include "tests/support/broker_fixture.hpp"
#include "tests/support/client_peer.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using core::errc;
using test_support::client_peer;
using test_support::publish_to_sessions;
using texts = std::vector<std::string>;

class Client : public test_support::broker_fixture {
protected:
  Client() { start(); }
  ~Client() override {
    for (auto& each : peers_)
      each->close();
    settle();
    peers_.clear();
  }

  client_peer& connect() {
    peers_.push_back(std::make_unique<client_peer>(system_.system(), context(),
                                                   1000 + peers_.size()));
    return *peers_.back();
  }
  client_peer& open(const std::string& name,
                    std::optional<core::milliseconds> expiry = 1h,
                    bool clean_start = false) {
    auto& fresh = connect();
    fresh.open(name, expiry, clean_start);
    settle();
    EXPECT_TRUE(fresh.opened());
    return fresh;
  }
  void subscribe(client_peer& of, const std::string& filter,
                 std::uint8_t qos = 1) {
    of.subscribe(filter, qos);
    settle();
    EXPECT_EQ(of.last<core::client_routed>().failure.code, errc::ok);
  }
  errc publish(const std::string& topic, const std::string& text,
               std::uint8_t qos = 1, const std::string& key = {}) {
    auto outcome = std::make_shared<std::optional<errc>>();
    publish_to_sessions(context(), topic, text, outcome, qos, key);
    settle();
    return outcome->value_or(errc::timed_out);
  }
  std::optional<core::session_record> record(const std::string& name) {
    const core::owner who{"default", core::owner_kind::session, name};
    return schema::stored_sessions{space(context().group_of(who))}.session(who);
  }

  std::vector<std::unique_ptr<client_peer>> peers_;
};

TEST_F(Client, OfASessionWithoutRecordLeavesNothing) {
  auto& one = open("a", std::nullopt);
  EXPECT_FALSE(one.last<core::client_opened>().present);
  EXPECT_FALSE(record("a"));
  EXPECT_EQ(actors_of("client"), 0U);
  one.close();
  advance(4s);
  EXPECT_EQ(actors_of("inbox"), 0U);
  EXPECT_EQ(actors_of("client"), 0U);
}

TEST_F(Client, IsEndedByTheNextOneOfItsName) {
  for (const auto& expiry :
       {std::optional<core::milliseconds>{}, {core::milliseconds{1h}}}) {
    auto& one = open("a", expiry);
    auto& two = open("a", expiry);
    EXPECT_EQ(one.end(), errc::conflict);
    EXPECT_EQ(two.end(), errc::ok);
    two.close();
    settle();
  }
}

TEST_F(Client, GetsWhatWasPublishedWhileItWasAway) {
  auto& one = open("a");
  subscribe(one, "t/*");
  one.close();
  settle();
  EXPECT_EQ(publish("t/1", "x"), errc::ok);
  EXPECT_EQ(publish("u/1", "not for it"), errc::ok);
  EXPECT_EQ(publish("t/2", "y", 2), errc::ok);
  auto& two = open("a");
  const auto found = two.last<core::client_opened>();
  EXPECT_TRUE(found.present);
  ASSERT_EQ(found.routes.size(), 1U);
  EXPECT_EQ(found.routes.front().name.filter, "t/*");
  EXPECT_GT(found.routed_at, core::log_index{});
  EXPECT_EQ(two.texts(), (texts{"x", "y"}));
  EXPECT_EQ(two.last<core::client_delivery>().message->topic, "t/2");
}

TEST_F(Client, GetsAgainWhatItHasNotAcknowledged) {
  auto& one = open("a");
  subscribe(one, "t");
  for (const auto* text : {"1", "2", "3"})
    EXPECT_EQ(publish("t", text), errc::ok);
  EXPECT_EQ(one.texts(), (texts{"1", "2", "3"}));
  one.send(core::settle_client{core::inbox_position{1}, {}});
  settle();
  one.close();
  settle();
  auto& two = open("a");
  EXPECT_EQ(two.texts(), (texts{"2", "3"}));
  EXPECT_EQ(two.all<core::client_delivery>().front().position,
            core::inbox_position{2});
}

TEST_F(Client, KnowsWhichIdsWaitForTheirEnd) {
  auto& one = open("a");
  subscribe(one, "t", 2);
  EXPECT_EQ(publish("t", "1", 2), errc::ok);
  one.send(core::settle_client{core::inbox_position{1}, {2}});
  settle();
  EXPECT_EQ(one.last<core::client_released>().packets,
            std::vector<std::uint16_t>{2});
  auto& two = open("a");
  EXPECT_EQ(two.last<core::client_opened>().awaiting,
            std::vector<std::uint16_t>{2});
  EXPECT_EQ(two.texts(), texts{});
  two.send(core::complete_client{2});
  settle();
  auto& three = open("a");
  EXPECT_TRUE(three.last<core::client_opened>().awaiting.empty());
}

TEST_F(Client, NumbersWhatComesUnderAPacketIdOnce) {
  auto& one = open("a");
  one.send(core::receive_client{7, 1});
  settle();
  const auto first = one.last<core::client_received>();
  EXPECT_EQ(first.code, errc::ok);
  EXPECT_FALSE(first.repeated);
  auto& two = open("a");
  two.send(core::receive_client{7, 5});
  settle();
  const auto again = two.last<core::client_received>();
  EXPECT_EQ(again.ticket, 5U);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.number, first.number);
  two.send(core::release_client{7});
  settle();
  EXPECT_EQ(two.last<core::client_completed>().packets,
            std::vector<std::uint16_t>{7});
  two.send(core::receive_client{7, 6});
  settle();
  EXPECT_FALSE(two.last<core::client_received>().repeated);
}

TEST_F(Client, APublicationUnderOneKeyIsQueuedOnce) {
  auto& one = open("a");
  subscribe(one, "t");
  EXPECT_EQ(publish("t", "x", 2, "k"), errc::ok);
  EXPECT_EQ(publish("t", "x", 2, "k"), errc::ok);
  EXPECT_EQ(one.texts(), texts{"x"});
}

TEST_F(Client, WithACleanStartHasNothingOfTheSessionBefore) {
  auto& one = open("a");
  subscribe(one, "t");
  one.close();
  settle();
  EXPECT_EQ(publish("t", "x"), errc::ok);
  auto& two = open("a", 1h, true);
  EXPECT_FALSE(two.last<core::client_opened>().present);
  EXPECT_EQ(publish("t", "y"), errc::ok);
  EXPECT_EQ(two.texts(), texts{});
  EXPECT_EQ(routes_.size(), 0U);
}

TEST_F(Client, OfAConnectionAloneEndsAnOlderSession) {
  auto& one = open("a");
  subscribe(one, "t");
  one.close();
  settle();
  auto& two = open("a", std::nullopt);
  EXPECT_FALSE(two.last<core::client_opened>().present);
  EXPECT_EQ(publish("t", "y"), errc::ok);
  EXPECT_EQ(two.texts(), texts{});
  two.close();
  advance(1s);
  EXPECT_FALSE(record("a"));
}

TEST_F(Client, OfAnotherUserDoesNotGetTheSession) {
  open("a").close();
  settle();
  auto& other = connect();
  core::open_client c;
  c.name = "a";
  c.uid = "bob";
  c.lasting = true;
  c.expiry = 1h;
  other.send(std::move(c));
  settle();
  EXPECT_EQ(other.last<core::client_opened>().failure.code,
            errc::not_permitted);
}

TEST_F(Client, ExpiresWithItsRoutes) {
  auto& one = open("a", 5s);
  subscribe(one, "t");
  one.close();
  advance(4s);
  EXPECT_TRUE(record("a"));
  EXPECT_EQ(routes_.size(), 1U);
  advance(2s);
  EXPECT_FALSE(record("a"));
  EXPECT_EQ(routes_.size(), 0U);
  EXPECT_EQ(context().stats.sessions_ended, 1U);
}

TEST_F(Client, ThatDiesIsFreedAfterAGrace) {
  auto& one = open("a", 5s);
  one.die();
  advance(2s);
  EXPECT_FALSE(record("a")->closed);
  advance(2s);
  EXPECT_TRUE(record("a")->closed);
  advance(6s);
  EXPECT_FALSE(record("a"));
}

TEST_F(Client, OfANodeThatWasRestartedIsFreed) {
  open("a", 1h);
  settle();
  peers_.clear();
  crash();
  start();
  EXPECT_FALSE(record("a")->closed);
  advance(4s);
  EXPECT_TRUE(record("a")->closed);
}

class Wills : public Client {
protected:
  Wills() {
    context().publish_now = [this](const core::publication& what) {
      published_.push_back(what.topic.text() + " " +
                           std::string{what.payload.text()});
    };
  }
  client_peer& open_with_will(core::milliseconds delay,
                              core::milliseconds expiry = 1h) {
    auto& fresh = connect();
    core::open_client c;
    c.name = "a";
    c.uid = "anna";
    c.lasting = true;
    c.clean_start = false;
    c.expiry = expiry;
    core::session_will will;
    will.topic = "will";
    will.content.qos = 1;
    will.content.payload = core::shared_bytes::copy_of("bye");
    will.delay = delay;
    c.will = will;
    fresh.send(std::move(c));
    settle();
    EXPECT_TRUE(fresh.opened());
    return fresh;
  }
  texts published_;
};

TEST_F(Wills, ArePublishedWhenTheConnectionIsGone) {
  auto& other = open("b");
  subscribe(other, "will");
  open_with_will(0s).close(false);
  advance(100ms);
  EXPECT_EQ(published_, texts{"will bye"});
  EXPECT_EQ(other.texts(), texts{"bye"});
  advance(40s);
  EXPECT_EQ(published_.size(), 1U);
  EXPECT_FALSE(record("a")->will);
}

TEST_F(Wills, WaitForTheirDelay) {
  open_with_will(3s).close(false);
  advance(2s);
  EXPECT_EQ(published_, texts{});
  advance(1100ms);
  EXPECT_EQ(published_, texts{"will bye"});
}

TEST_F(Wills, AreForgottenByAGoodbyeAndByWhoComesBack) {
  open_with_will(0s).close(true);
  open_with_will(3s).close(false);
  advance(1s);
  open("a");
  advance(10s);
  EXPECT_EQ(published_, texts{});
}

TEST_F(Wills, DoNotOutliveTheSession) {
  open_with_will(1h, 2s).close(false);
  advance(2500ms);
  EXPECT_EQ(published_, texts{"will bye"});
  EXPECT_FALSE(record("a"));
}

TEST_F(Wills, OfAConnectionThatIsTakenOverArePublishedAtOnce) {
  open_with_will(0s);
  open("a");
  advance(100ms);
  EXPECT_EQ(published_, texts{"will bye"});
  advance(40s);
  EXPECT_EQ(published_.size(), 1U);
}

} // namespace
} // namespace troupe::actors
