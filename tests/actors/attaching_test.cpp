// SPDX-License-Identifier: Apache-2.0
#include "actors/attaching.hpp"
#include "tests/support/broker_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using core::errc;

TEST(AttachPause, GrowsUpToASecondAndIsSpread) {
  EXPECT_EQ(attach_pause(0, 0), 50ms);
  EXPECT_EQ(attach_pause(1, 0), 100ms);
  EXPECT_EQ(attach_pause(5, 0), 1s);
  EXPECT_EQ(attach_pause(1'000, 0), 1s);
  EXPECT_EQ(attach_pause(0, 31), 81ms);
  EXPECT_EQ(attach_pause(0, 32), 50ms);
}

class Attaching : public test_support::broker_fixture {
protected:
  Attaching() {
    start();
    way_.open(context(), 7);
    self_ = connect().actor;
  }
  static attached answer_to(actors::ticket ticket, errc why = errc::ok) {
    attached reply;
    reply.ticket = ticket;
    reply.failure.code = why;
    return reply;
  }
  void ask() {
    attach_request what;
    what.inbox = inbox_of("anna");
    way_.ask(self_, std::move(what));
  }

  attaching way_;
  session_actor self_;
};

TEST_F(Attaching, IsAnsweredOnce) {
  EXPECT_FALSE(way_.wanted());
  ask();
  EXPECT_TRUE(way_.wanted());
  EXPECT_FALSE(way_.pauses());
  EXPECT_FALSE(way_.takes(answer_to(2)));
  EXPECT_TRUE(way_.takes(answer_to(1)));
  way_.end();
  EXPECT_FALSE(way_.wanted());
  EXPECT_FALSE(way_.takes(answer_to(1)));
}

TEST_F(Attaching, NamesEachAttempt) {
  ask();
  const auto first = way_.attachment();
  ask();
  EXPECT_NE(way_.attachment(), first);
  EXPECT_EQ(way_.attachment() >> 16U, 7U);
  EXPECT_FALSE(way_.takes(answer_to(1))) << "too late";
}

TEST_F(Attaching, PausesWithOneTickAtATime) {
  ask();
  EXPECT_EQ(way_.pause({errc::unavailable, {}}), 57ms);
  EXPECT_TRUE(way_.pauses());
  EXPECT_FALSE(way_.takes(answer_to(1)));
  EXPECT_EQ(way_.last_failure().code, errc::unavailable);
  ask(); // something else made it ask
  EXPECT_EQ(way_.pause({errc::not_leader, {}}), std::nullopt);
  EXPECT_TRUE(way_.on_tick());
  ask();
  EXPECT_EQ(way_.pause({errc::not_leader, {}}), 207ms);
  EXPECT_EQ(way_.failures(), 3U);
  way_.end();
  EXPECT_FALSE(way_.on_tick());
  ask();
  EXPECT_EQ(way_.failures(), 0U) << "another search";
}

TEST_F(Attaching, AsksNoLeaderWithoutOtherNodes) {
  ask();
  EXPECT_FALSE(way_.ask_leader(self_, nullptr, core::node_id{2}, {}));
  EXPECT_FALSE(way_.is_overdue(system_.clock().now() + 1h));
}

} // namespace
} // namespace troupe::actors
