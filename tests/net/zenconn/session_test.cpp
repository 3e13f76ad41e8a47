// SPDX-License-Identifier: Apache-2.0
// What clients say to each other, on several nodes.
#include "tests/net/zenconn/session_case.hpp"

namespace troupe::net::zenconn::test {

TEST_F(ZenconnSession, WelcomesAndEchoesWhatAsksForNothing) {
  auto& one = connect(1);
  EXPECT_EQ(one.heard(),
            lines{R"({"type":"accepted","data":"session-1","status":202,)"
                  R"("uuid":"session-1"})"});
  one.say("ping");
  one.say("\x01\x02", ws::opcode::binary);
  EXPECT_EQ(one.heard(), (lines{"ping", "\x01\x02"}));
  options_.echo = false;
  one.say("ping");
  EXPECT_EQ(one.heard(), lines{});
}

TEST_F(ZenconnSession, Z4EverybodyButOneselfHearsABroadcastToAll) {
  for (std::uint32_t node = 1; node <= 3; ++node)
    for (std::size_t i = 0; i < 5; ++i)
      connect(node, i % 2);
  deliver();
  for (auto& each : clients_)
    each->heard();
  auto& from = *clients_[6];
  from.ask({request::kind::broadcast, "*", "", "1"});
  EXPECT_EQ(from.heard(), lines{}) << "other nodes are asked first";
  deliver();
  EXPECT_EQ(from.heard(), lines{received("*", 14)});
  for (auto& each : clients_) {
    if (each.get() != &from) {
      EXPECT_EQ(each->heard(), lines{event("*", "1", from)});
    }
  }
}

TEST_F(ZenconnSession, Z9EachPairOfNodesMeetsExactlyOnce) {
  for (std::uint32_t node = 1; node <= 3; ++node)
    member_of("private.x", node);
  for (auto& each : clients_)
    each->heard();
  for (auto& from : clients_) {
    from->ask({request::kind::broadcast, "private.x", "", "[1]"});
    deliver();
    EXPECT_EQ(from->heard(), lines{received("private.x", 2)});
    for (auto& to : clients_) {
      if (to != from) {
        EXPECT_EQ(to->heard(), lines{event("private.x", "[1]", *from)});
      }
    }
  }
}

TEST_F(ZenconnSession, CountsANodeOnceHoweverManyFloorsItHas) {
  auto& from = member_of("a", 1);
  member_of("a", 2, 0);
  member_of("a", 2, 1);
  member_of("a", 2, 1);
  from.ask({request::kind::broadcast, "a", "", "1"});
  deliver();
  EXPECT_EQ(from.heard(), lines{received("a", 3)});
  EXPECT_EQ(nodes_[2]->stats.answers.load(), 1U);
}

TEST_F(ZenconnSession, Z10MembersHearOfWhoComesAndGoes) {
  auto& old = member_of("private.x", 1);
  auto& fresh = member_of("private.x", 2);
  EXPECT_EQ(old.heard(),
            lines{R"({"type":"event","channel":"private.x","data":{"event":)"
                  R"("joined","session":"session-2"}})"});
  EXPECT_EQ(fresh.heard(), lines{});
  fresh.drop();
  deliver();
  EXPECT_EQ(old.heard(),
            lines{R"({"type":"event","channel":"private.x","data":{"event":)"
                  R"("left","session":"session-2"}})"});
}

TEST_F(ZenconnSession, Z12ClientsOfAllSpellingsMeet) {
  auto& json = member_of("a", 1);
  auto& compact = connect(1, 1, spelling::compact);
  compact.ask({request::kind::subscribe, "a"});
  compact.heard();
  json.ask({request::kind::broadcast, "a", "", R"({ "x": 1 })"});
  deliver();
  EXPECT_EQ(compact.heard(),
            lines{R"({"t":"e","c":"a","d":{"x":1},"f":"session-1"})"});
  compact.ask({request::kind::broadcast, "a", "", "2"});
  deliver();
  EXPECT_EQ(json.heard(), (lines{received("a", 1), event("a", "2", compact)}));
}

TEST_F(ZenconnSession, HearsWhatOtherProtocolsPublish) {
  auto& one = member_of("a/b", 1);
  const auto publish = [&](std::string_view type, std::string_view body) {
    core::publication what;
    what.topic = *topic_of("a/b");
    what.sender = "anna";
    what.content_type = type;
    what.payload = core::shared_bytes::copy_of(body);
    EXPECT_TRUE(nodes_[1]->topics.publish(std::move(what)));
    deliver();
    return one.heard();
  };
  constexpr auto head = R"({"type":"event","channel":"a/b","data":)";
  constexpr auto tail = R"(,"from":"anna"})";
  EXPECT_EQ(publish("text/plain", "hi"),
            lines{std::string{head} + R"("hi")" + tail});
  EXPECT_EQ(publish("application/json; charset=utf-8", R"({"x":1})"),
            lines{std::string{head} + R"({"x":1})" + tail});
  EXPECT_EQ(publish("application/json", R"(1,"type":"error")"),
            lines{std::string{head} + R"("1,\"type\":\"error\"")" + tail});
  EXPECT_EQ(publish("image/png", "\xff\xfe"),
            lines{std::string{head} + R"({"base64":"//4="})" + tail});
}

TEST_F(ZenconnSession, SaysHowManyNodesWereSilent) {
  auto& from = member_of("a", 1);
  member_of("a", 2);
  member_of("a", 3);
  wires_.mute = {3};
  from.ask({request::kind::broadcast, "a", "", "1"});
  deliver();
  EXPECT_EQ(from.heard(), lines{});
  from.driver().advance(options_.count_time);
  EXPECT_EQ(from.heard(), lines{R"({"type":"received","channel":"a","count":1,)"
                                R"("missing":1})"});
}

TEST_F(ZenconnSession, AQuestionOnItsWayIsAnsweredWhenTheLastMemberHasLeft) {
  auto& from = member_of("a", 1);
  auto& other = member_of("a", 2);
  from.ask({request::kind::broadcast, "a", "", "1"});
  other.drop();
  deliver();
  EXPECT_EQ(from.heard(), lines{received("a", 0)});
  // A while later nobody listens there any more.
  core::steady_time now{std::chrono::hours{2}};
  nodes_[2]->floors[0]->look(now);
  EXPECT_FALSE(nodes_[2]->floors[0]->idle());
  nodes_[2]->floors[0]->look(now + floor::empty_time);
  EXPECT_TRUE(nodes_[2]->floors[0]->idle());
}

TEST_F(ZenconnSession, ARoomSaysWhoIsInIt) {
  auto& one = member_of("news", 1);
  auto& two = member_of("news", 1);
  member_of("news", 1, 1); // on another floor
  std::erase_if(wires_.told, [](const auto& each) {
    return each.starts_with("$zenconn/all: ");
  });
  EXPECT_EQ(wires_.told,
            (lines{"news: came 1 user-1 zenconn", "news: came 2 user-2 zenconn",
                   "news: came 3 user-3 zenconn"}));
  wires_.told.clear();
  one.ask({request::kind::broadcast, "news", {}, R"("hello")"});
  deliver();
  std::sort(wires_.told.begin(), wires_.told.end());
  // Not to the one who said it.
  EXPECT_EQ(wires_.told,
            (lines{"news: handed on to 1", "news: handed on to 1"}));
  wires_.told.clear();
  two.drop();
  std::sort(wires_.told.begin(), wires_.told.end());
  EXPECT_EQ(wires_.told, (lines{"$zenconn/all: went 2", "news: went 2"}));
  // Only what clients may listen to is anybody's business.
  for (const auto* each : wires_.holds)
    EXPECT_EQ(each->about.door.empty(), core::is_own_topic(each->filter.text()))
        << each->filter.text();
}

} // namespace troupe::net::zenconn::test
