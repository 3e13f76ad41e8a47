// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/json_codec.hpp"
#include "net/zenconn/json_members.hpp"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace troupe::net::zenconn {
namespace {

request read(std::string_view text, bool compact = false) {
  const auto found = decode_request(text, compact);
  const auto* asked = std::get_if<request>(&found);
  EXPECT_NE(asked, nullptr) << text;
  return asked == nullptr ? request{} : *asked;
}
bool is_stranger(std::string_view text) {
  return std::holds_alternative<stranger>(decode_request(text, false));
}

TEST(ZenconnJson, ReadsWhatTheClientLibraryWrites) {
  EXPECT_EQ(read(R"({"type":"subscribe","channel":"news"})"),
            (request{request::kind::subscribe, "news"}));
  EXPECT_EQ(
      read(R"({"type":"subscribe","channel":"private.n","token":"9da7ffb3"})"),
      (request{request::kind::subscribe, "private.n", "9da7ffb3"}));
  EXPECT_EQ(read(R"({"type":"broadcast","channel":"*","data":{"data":"HI"}})"),
            (request{request::kind::broadcast, "*", "", R"({"data":"HI"})"}));
}

TEST(ZenconnJson, KeepsDataAsItWasWritten) {
  constexpr auto data =
      R"({ "b":1.0, "a":[12345678901234567890123,"}\"]"], "ü":"\u00fc" })";
  const auto asked = read(std::string{R"( {"data" : )"} + data +
                          R"(, "channel":"a\/b" , "type":"\u0062roadcast"} )");
  EXPECT_EQ(asked.data, data);
  EXPECT_EQ(asked.channel, "a/b");
}

TEST(ZenconnJson, TakesTheLastOfTwoMembersWithOneName) {
  EXPECT_EQ(read(R"({"type":"subscribe","channel":"a","channel":"b"})").channel,
            "b");
}

TEST(ZenconnJson, WhatIsNoRequestIsAStranger) {
  for (const auto* text :
       {"ping", "", "{", "[]", "null", "{}", R"("subscribe")",
        R"({"type":"subscribe"})", R"({"type":"subscribe","channel":1})",
        R"({"type":"dance","channel":"a"})", R"({"channel":"a"})",
        R"({"type":"subscribe","channel":"a"} x)",
        R"({"type":"subscribe","channel":"a",})",
        R"({"type":"subscribe","channel":"\ud800"})",
        R"({"type":["subscribe"],"channel":"a"})"})
    EXPECT_TRUE(is_stranger(text)) << text;
}

TEST(ZenconnJson, RefusesWhatIsNestedTooDeeply) {
  const auto nested = [](std::size_t depth) {
    return R"({"type":"broadcast","channel":"a","data":)" +
           std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_FALSE(is_stranger(nested(json_depth_max / 2)));
  EXPECT_TRUE(is_stranger(nested(json_depth_max + 1)));
  EXPECT_TRUE(is_stranger(nested(100'000)));
}

TEST(ZenconnJson, WelcomesClientsOfBothGenerations) {
  answer welcome;
  welcome.from = "034ece10-acce-444c-a8ba-51abc444a837";
  EXPECT_EQ(
      encode(welcome, false),
      R"({"type":"accepted","data":"034ece10-acce-444c-a8ba-51abc444a837",)"
      R"("status":202,"uuid":"034ece10-acce-444c-a8ba-51abc444a837"})");
}

TEST(ZenconnJson, AnswersAsTheClientLibraryExpects) {
  answer told;
  told.channel = "private.n";
  told.what = answer::kind::subscribed;
  EXPECT_EQ(encode(told, false),
            R"({"type":"subscribed","channel":"private.n"})");
  told.what = answer::kind::received;
  EXPECT_EQ(encode(told, false),
            R"({"type":"received","channel":"private.n","count":0})");
  told.count = 2;
  told.missing = 1;
  EXPECT_EQ(
      encode(told, false),
      R"({"type":"received","channel":"private.n","count":2,"missing":1})");
  answer refused{answer::kind::error, "*"};
  refused.errors = {"not granted"};
  EXPECT_EQ(encode(refused, false),
            R"({"type":"error","channel":"*","errors":["not granted"]})");
  answer event{answer::kind::event, "a", "s", R"({"data":"HELLO"})"};
  EXPECT_EQ(
      encode(event, false),
      R"({"type":"event","channel":"a","data":{"data":"HELLO"},"from":"s"})");
}

TEST(ZenconnJson, CompactLeavesOutWhatGoesWithoutSaying) {
  answer told{answer::kind::received, "a"};
  EXPECT_EQ(encode(told, true), R"({"t":"r","c":"a"})");
  answer event{answer::kind::event, "a", "", R"({ "x" : "a b" })"};
  EXPECT_EQ(encode(event, true), R"({"t":"e","c":"a","d":{"x":"a b"}})");
  EXPECT_EQ(read(R"({"t":"s","c":"private.a","k":"00ff"})", true),
            (request{request::kind::subscribe, "private.a", "00ff"}));
}

TEST(ZenconnJson, EveryAnswerAndRequestComesBackAsItWas) {
  answer event{answer::kind::event, "ä\"\\\n", "someone", R"({"a":[1,2]})"};
  answer counted{answer::kind::received, "*"};
  counted.count = 14;
  counted.missing = 2;
  answer refused{answer::kind::error, "c"};
  refused.errors = {"one", "two \"quoted\""};
  answer welcome;
  welcome.from = "034ece10-acce-444c-a8ba-51abc444a837";
  for (const bool compact : {false, true}) {
    for (const auto& each : {event, counted, refused, welcome}) {
      const auto back = decode_answer(encode(each, compact), compact);
      ASSERT_TRUE(back) << encode(each, compact);
      EXPECT_EQ(*back, each);
    }
    for (const auto& each :
         {request{request::kind::subscribe, "a/b", "t"},
          request{request::kind::unsubscribe, "ü"},
          request{request::kind::broadcast, "*", "", R"([1,"x"])"}})
      EXPECT_EQ(read(encode(each, compact), compact), each);
  }
  EXPECT_FALSE(decode_answer("{}", false));
  EXPECT_FALSE(decode_answer(R"({"type":"event"})", false));
}

} // namespace
} // namespace troupe::net::zenconn
