// SPDX-License-Identifier: Apache-2.0
// How sessions end, and what is on record of them.
#include "tests/net/zenconn/session_case.hpp"

namespace troupe::net::zenconn::test {

TEST_F(ZenconnSession, CutsOffWhoDoesNotKeepUp) {
  options_.backlog_bytes_max = 1000;
  auto& from = member_of("a", 1);
  auto& slow = member_of("a", 1);
  for (int i = 0; i < 3 && !slow.driver().is_closed; ++i) {
    from.ask(
        {request::kind::broadcast, "a", "", '"' + std::string(900, 'x') + '"'});
    deliver();
  }
  EXPECT_TRUE(slow.driver().is_closed);
  EXPECT_TRUE(slow.driver().aborted);
  from.ask({request::kind::broadcast, "a", "", "1"});
  deliver();
  EXPECT_EQ(from.heard().back(), received("a", 0));
}

TEST_F(ZenconnSession, Z3ChangedRightsReachLiveSessions) {
  auto& one = connect(1);
  one.ask({request::kind::subscribe, "private.x"});
  one.heard();
  one.powers.denied = {"subscribe:$zenconn/private/x"};
  ++one.powers.epoch;
  const auto look = [&] {
    for (std::size_t i = 0; i < floor::look_parts; ++i)
      nodes_[1]->floors[0]->look(core::steady_time{});
  };
  look();
  EXPECT_EQ(one.heard(),
            lines{R"({"type":"unauthorized","channel":"private.x",)"
                  R"("errors":["not granted"]})"});
  one.powers.standing = deny_reason::revoked;
  look();
  EXPECT_EQ(one.heard(), lines{"closed 1008 revoked"});
  EXPECT_TRUE(one.driver().is_closed);
  look();
}

TEST_F(ZenconnSession, SaysGoodbyeWhenTheNodeStops) {
  auto& one = member_of("a", 1);
  one.driver().event(core::session_ended{{core::errc::shutting_down, {}}});
  EXPECT_EQ(one.heard(), lines{"closed 1001 the node shuts down"});
}

TEST_F(ZenconnSession, IsSentElsewhereWhenTheNodeDrains) {
  auto& one = member_of("a", 1);
  one.driver().event(core::session_ended{{core::errc::draining, {}}});
  EXPECT_EQ(one.heard(), lines{"closed 1012 the node drains"});
  EXPECT_EQ(nodes_[1]->stats.sessions.load(), 0U);
}

TEST_F(ZenconnSession, Z1ItsEndIsToldOnceWithTheReason) {
  auto& one = member_of("a", 1);
  auto& other = member_of("a", 1);
  EXPECT_TRUE(one.ends.empty());
  one.driver().event(core::session_ended{{core::errc::shutting_down, {}}});
  EXPECT_EQ(one.ends, lines{"the node shuts down"});
  one.drop();
  EXPECT_EQ(one.ends.size(), 1U);
  other.drop();
  EXPECT_EQ(other.ends, lines{"the connection ended"});
}

TEST_F(ZenconnSession, PingsAQuietClientAndGivesItUp) {
  auto& one = connect(1);
  one.heard();
  one.driver().advance(options_.ping_time);
  EXPECT_EQ(one.driver().take_output(), (std::string{"\x89\0", 2}));
  one.driver().advance(options_.silence_time);
  EXPECT_TRUE(one.driver().aborted);
  EXPECT_EQ(nodes_[1]->stats.sessions.load(), 0U);
}

TEST_F(ZenconnSession, Z13EverythingItDoesIsOnRecord) {
  auto& one = connect(1);
  one.ask({request::kind::subscribe, "private.a", one.id()});
  one.powers.denied.insert("subscribe:" + topic_of("private.b")->text());
  one.ask({request::kind::subscribe, "private.b", "a guess"});
  one.ask({request::kind::broadcast, "private.a", "", R"({"n":1})"});
  one.ask({request::kind::unsubscribe, "private.a"});
  one.ask({request::kind::unsubscribe, "private.a"});
  one.ask({request::kind::subscribe, "c"});
  one.drop();
  EXPECT_EQ(audit_.records,
            (lines{"join 1 private.a  |", "join 1 private.b  not granted|",
                   R"(publish 1 private.a application/json |{"n":1})",
                   "leave 1 private.a  |", "join 1 c  |", "leave 1 c  |",
                   "logout 1  the connection ended |"}));
}

TEST_F(ZenconnSession, NothingNewBeginsWhileTheAuditHasNoRoom) {
  auto& one = member_of("private.a", 1);
  audit_.room = false;
  one.ask({request::kind::broadcast, "private.a", "", "1"});
  one.ask({request::kind::subscribe, "c"});
  EXPECT_EQ(one.heard().size(), 2U);
  EXPECT_EQ(audit_.records.back(), "join 1 c  try again later|");
  audit_.room = true;
  one.ask({request::kind::broadcast, "private.a", "", "1"});
  EXPECT_EQ(one.heard(), lines{received("private.a", 0)});
}

} // namespace troupe::net::zenconn::test
