// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/gate.hpp"
#include "net/zenconn/json_codec.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace troupe::net::zenconn {
namespace {

using core::deny_reason;
using core::right;

/// Writes down what the gate wants, and does as it is told.
class recorder final : public gate_world {
public:
  void send(const answer& what) override {
    said.push_back(encode(what, false));
  }
  deny_reason check(right what, const core::topic& on) override {
    const core::grant wanted{what, on.text()};
    return denied.contains(core::to_string(wanted)) ? deny_reason::not_granted
                                                    : deny_reason::none;
  }
  deny_reason allow_message() override { return messages; }
  bool token_fits(std::string_view channel, std::string_view token) override {
    return token == "for " + std::string{channel};
  }
  void refused(core::audit_kind what, std::string_view channel,
               std::string_view why, std::string_view data) override {
    refusals.push_back(std::string{core::to_string(what)} + " " +
                       std::string{channel} + ": " + std::string{why} + " " +
                       std::string{data});
  }
  core::result<void> join(const std::string& channel) override {
    if (busy)
      return core::errc::overloaded;
    if (full)
      return core::errc::too_many;
    done.push_back("join " + channel);
    return {};
  }
  void leave(const std::string& channel) override {
    done.push_back("leave " + channel);
  }
  void announce(const std::string& channel, bool came) override {
    done.push_back((came ? "came " : "went ") + channel);
  }
  core::result<spoken> speak(const std::string& channel, std::string data,
                             std::uint64_t number) override {
    if (data.size() > 100)
      return core::errc::too_large;
    done.push_back("speak " + channel + " " + data);
    numbers.push_back(number);
    return next;
  }

  std::vector<std::string> said;
  std::vector<std::string> done;
  std::vector<std::uint64_t> numbers;
  std::set<std::string> denied;
  deny_reason messages = deny_reason::none;
  spoken next{};
  bool full = false;
  bool busy = false;
  std::vector<std::string> refusals;
};

using lines = std::vector<std::string>;

class ZenconnGate : public ::testing::Test {
protected:
  void subscribe(const std::string& channel, const std::string& token = "") {
    gate_.on_request({request::kind::subscribe, channel, token}, now_);
  }
  void broadcast(const std::string& channel, const std::string& data = "1") {
    gate_.on_request({request::kind::broadcast, channel, "", data}, now_);
  }
  lines said() { return std::exchange(world_.said, {}); }
  lines done() { return std::exchange(world_.done, {}); }
  static std::string ok(std::string_view type, std::string_view channel) {
    return R"({"type":")" + std::string{type} + R"(","channel":")" +
           std::string{channel} + R"("})";
  }
  static std::string no(std::string_view type, std::string_view channel,
                        std::string_view why) {
    return R"({"type":")" + std::string{type} + R"(","channel":")" +
           std::string{channel} + R"(","errors":[")" + std::string{why} +
           R"("]})";
  }
  static std::string received(std::string_view channel, int count,
                              int missing = 0) {
    return R"({"type":"received","channel":")" + std::string{channel} +
           R"(","count":)" + std::to_string(count) +
           (missing == 0 ? "" : R"(,"missing":)" + std::to_string(missing)) +
           "}";
  }

  zenconn_options options_;
  zenconn_stats stats_;
  recorder world_;
  core::steady_time now_{std::chrono::hours{1}};
  gate gate_{options_, stats_, world_};
};

TEST_F(ZenconnGate, AnybodyJoinsAPublicChannelOnce) {
  subscribe("news");
  subscribe("news");
  EXPECT_EQ(said(),
            (lines{ok("subscribed", "news"), ok("subscribed", "news")}));
  EXPECT_EQ(done(), lines{"join news"});
}

TEST_F(ZenconnGate, Z5APrivateChannelTakesATokenOrAGrant) {
  world_.denied = {"subscribe:$zenconn/private/x"};
  subscribe("private.x");
  subscribe("private.x", "for private.y");
  EXPECT_EQ(said(), (lines{no("unauthorized", "private.x", "not granted"),
                           no("unauthorized", "private.x", "not granted")}));
  EXPECT_EQ(done(), lines{}) << "a refused join is nobody's business";
  subscribe("private.x", "for private.x");
  EXPECT_EQ(said(), lines{ok("subscribed", "private.x")});
  world_.denied.clear();
  subscribe("private.z");
  EXPECT_EQ(said(), lines{ok("subscribed", "private.z")});
}

TEST_F(ZenconnGate, Z10OthersLearnOfWhoJoinsAPrivateChannelFirst) {
  subscribe("private.x", "for private.x");
  broadcast("private.x");
  EXPECT_EQ(done(),
            (lines{"join private.x", "came private.x", "speak private.x 1"}));
}

TEST_F(ZenconnGate, ATokenOpensNoPublicChannel) {
  world_.denied = {"subscribe:news"};
  subscribe("news", "for news");
  EXPECT_EQ(said(), lines{no("unauthorized", "news", "not granted")});
}

TEST_F(ZenconnGate, RefusesWhatIsNoChannel) {
  for (const auto* name : {"", "*", "$SYS", "private."}) {
    subscribe(name, "for " + std::string{name});
    EXPECT_EQ(said(), lines{no("unauthorized", name, "no name of a channel")});
  }
  subscribe(std::string(options_.channel_bytes_max + 1, 'x'));
  EXPECT_EQ(done(), lines{});
}

TEST_F(ZenconnGate, BoundsTheChannelsOfASession) {
  options_.channels_max = 2;
  subscribe("a");
  subscribe("b");
  subscribe("c");
  EXPECT_EQ(said().back(), no("unauthorized", "c", "too many channels"));
  gate_.on_request({request::kind::unsubscribe, "a"}, now_);
  subscribe("c");
  EXPECT_EQ(said(), (lines{ok("unsubscribed", "a"), ok("subscribed", "c")}));
  world_.full = true;
  options_.channels_max = 3;
  subscribe("d");
  EXPECT_EQ(said(),
            lines{no("unauthorized", "d", "no room for more channels here")});
}

TEST_F(ZenconnGate, Z6OnlyMembersSpeakInAChannel) {
  broadcast("news");
  EXPECT_EQ(said(), lines{no("error", "news", "not subscribed")});
  subscribe("news");
  world_.next = {3, 0};
  broadcast("news", R"({"data":"HELLO"})");
  EXPECT_EQ(said().back(), received("news", 3));
  EXPECT_EQ(done().back(), R"(speak news {"data":"HELLO"})");
}

TEST_F(ZenconnGate, Z4OnlyWhoIsGrantedItSpeaksToEverybody) {
  world_.denied = {"publish:$zenconn/all"};
  broadcast("*");
  EXPECT_EQ(said(), lines{no("error", "*", "not granted")});
  EXPECT_EQ(done(), lines{});
  world_.denied.clear();
  world_.next = {14, 0};
  broadcast("*");
  EXPECT_EQ(said(), lines{received("*", 14)});
}

TEST_F(ZenconnGate, WhoWasLetIntoAPrivateChannelMaySpeakThere) {
  world_.denied = {"publish:$zenconn/private/x", "publish:news"};
  subscribe("private.x", "for private.x");
  subscribe("news");
  said();
  broadcast("private.x");
  broadcast("news");
  EXPECT_EQ(said(), (lines{received("private.x", 0),
                           no("error", "news", "not granted")}));
}

TEST_F(ZenconnGate, SaysWhyABroadcastIsRefused) {
  subscribe("a");
  said();
  broadcast("a", "");
  broadcast("a", std::string(101, '1'));
  world_.messages = deny_reason::too_many_messages;
  broadcast("a");
  EXPECT_EQ(said(),
            (lines{no("error", "a", "no data"), no("error", "a", "too large"),
                   no("error", "a", "too many messages")}));
}

TEST_F(ZenconnGate, WaitsForTheCountsOfOtherNodes) {
  subscribe("a");
  said();
  world_.next = {2, 2};
  broadcast("a");
  const auto number = world_.numbers.back();
  gate_.on_counted(number, core::node_id{2}, 5);
  gate_.on_counted(number, core::node_id{2}, 5); // the same again
  gate_.on_counted(number + 1, core::node_id{3}, 5);
  EXPECT_EQ(said(), lines{});
  gate_.on_counted(number, core::node_id{3}, 1);
  EXPECT_EQ(said(), lines{received("a", 8)});
  EXPECT_FALSE(gate_.deadline());
  gate_.on_counted(number, core::node_id{4}, 1);
  EXPECT_EQ(said(), lines{});
}

TEST_F(ZenconnGate, TellsWhatItKnowsWhenANodeIsSilent) {
  subscribe("a");
  said();
  world_.next = {2, 2};
  broadcast("a");
  gate_.on_counted(world_.numbers.back(), core::node_id{2}, 5);
  ASSERT_EQ(gate_.deadline(), now_ + options_.count_time);
  gate_.on_tick(now_ + options_.count_time - core::milliseconds{1});
  EXPECT_EQ(said(), lines{});
  gate_.on_tick(now_ + options_.count_time);
  EXPECT_EQ(said(), lines{received("a", 7, 1)});
  EXPECT_EQ(stats_.count_timeouts.load(), 1U);
  EXPECT_FALSE(gate_.deadline());
}

TEST_F(ZenconnGate, AnswersOfAChannelKeepTheOrderOfTheRequests) {
  subscribe("a");
  subscribe("b");
  said();
  world_.next = {0, 1};
  broadcast("a", "1");
  broadcast("a", "2");
  subscribe("a");
  world_.next = {7, 0};
  broadcast("b");
  EXPECT_EQ(said(), lines{received("b", 7)}) << "another channel";
  gate_.on_counted(world_.numbers[1], core::node_id{2}, 2);
  EXPECT_EQ(said(), lines{});
  gate_.on_counted(world_.numbers[0], core::node_id{2}, 1);
  EXPECT_EQ(said(),
            (lines{received("a", 1), received("a", 2), ok("subscribed", "a")}));
}

TEST_F(ZenconnGate, TakesNoMoreThanItMayOweAnswersFor) {
  options_.requests_max = 2;
  subscribe("a");
  world_.next = {0, 1};
  broadcast("a");
  EXPECT_FALSE(gate_.paused());
  broadcast("a");
  EXPECT_TRUE(gate_.paused());
  gate_.on_tick(now_ + options_.count_time);
  EXPECT_FALSE(gate_.paused());
}

TEST_F(ZenconnGate, ChannelsAreLeftWhenTheGrantForThemIsGone) {
  subscribe("private.x", "for private.x");
  subscribe("private.y");
  subscribe("news");
  said();
  done();
  world_.denied = {"subscribe:$zenconn/private/x",
                   "subscribe:$zenconn/private/y"};
  gate_.on_rights_changed();
  EXPECT_EQ(said(), lines{no("unauthorized", "private.y", "not granted")});
  EXPECT_EQ(done(), (lines{"went private.y", "leave private.y"}));
  broadcast("private.y");
  EXPECT_EQ(said(), lines{no("error", "private.y", "not subscribed")});
}

TEST_F(ZenconnGate, LeavesEverythingWhenTheClientGoes) {
  subscribe("private.x", "for private.x");
  subscribe("news");
  done();
  gate_.on_closed();
  EXPECT_EQ(done(), (lines{"leave news", "went private.x", "leave private.x"}));
  gate_.on_closed();
  EXPECT_EQ(done(), lines{});
}

TEST_F(ZenconnGate, Z13WhatIsRefusedIsNoted) {
  world_.denied = {"subscribe:news"};
  subscribe("news");
  world_.busy = true;
  subscribe("rooms");
  EXPECT_EQ(said().back(), no("unauthorized", "rooms", "try again later"));
  world_.busy = false;
  broadcast("rooms", "2");
  subscribe("rooms");
  broadcast("rooms", "3");
  EXPECT_EQ(world_.refusals,
            (lines{"join news: not granted ", "join rooms: try again later ",
                   "publish rooms: not subscribed 2"}));
}

} // namespace
} // namespace troupe::net::zenconn
