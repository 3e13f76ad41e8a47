// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/binary_codec.hpp"
#include "net/zenconn/json_codec.hpp"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace troupe::net::zenconn {
namespace {

constexpr std::size_t limit = 1 << 20;
constexpr auto session = "034ece10-acce-444c-a8ba-51abc444a837";

answer event_with(std::string channel, std::string data, std::string from) {
  return {answer::kind::event, std::move(channel), std::move(from),
          std::move(data)};
}

bool is_stranger(std::string_view bytes, std::size_t most = limit) {
  return std::holds_alternative<stranger>(
      decode_binary_request(core::as_bytes(bytes), most));
}

TEST(ZenconnBinary, EveryAnswerComesBackAsItWas) {
  answer refused{answer::kind::error, "c"};
  refused.errors = {"one", ""};
  answer counted{answer::kind::received, "*"};
  counted.count = 14;
  counted.missing = 2;
  answer welcome;
  welcome.from = session;
  for (const auto& each :
       {event_with("a", R"({"x":1})", session),
        event_with("a", R"({"x":1})", "anna"), event_with("a", "1", ""),
        event_with("a", "1", "00000000-0000-0000-0000-000000000000"),
        event_with("a", "1", "034ECE10-acce-444c-a8ba-51abc444a837"), refused,
        counted, welcome}) {
    const auto bytes = encode_binary(each);
    const auto back = decode_binary_answer(core::as_bytes(bytes), limit);
    ASSERT_TRUE(back) << each.from;
    EXPECT_EQ(*back, each);
  }
}

TEST(ZenconnBinary, EveryRequestComesBackAsItWas) {
  for (const auto& each :
       {request{request::kind::subscribe, "private.a", "00ff"},
        request{request::kind::unsubscribe, "ü"},
        request{request::kind::broadcast, "*", "", R"({"a": [1, 2]})"},
        request{request::kind::broadcast, "big", "",
                '"' + std::string(500'000, 'x') + '"'}}) {
    const auto bytes = encode_binary(each);
    const auto back = decode_binary_request(core::as_bytes(bytes), limit);
    const auto* asked = std::get_if<request>(&back);
    ASSERT_NE(asked, nullptr) << each.channel;
    EXPECT_EQ(*asked, each);
  }
}

TEST(ZenconnBinary, WhatIsNoRequestIsAStranger) {
  EXPECT_TRUE(is_stranger(""));
  EXPECT_TRUE(is_stranger("ping"));
  EXPECT_TRUE(is_stranger(std::string(64, '\xff')));
  EXPECT_TRUE(is_stranger(std::string(64, '\0')));
  const auto whole =
      encode_binary(request{request::kind::broadcast, "a", "", "{}"});
  for (std::size_t cut = 0; cut < whole.size(); ++cut)
    static_cast<void>(is_stranger(whole.substr(0, cut))); // no crash
  // Others would get it in the middle of their JSON.
  EXPECT_TRUE(is_stranger(encode_binary(
      request{request::kind::broadcast, "a", "", R"(1,"type":"error")"})));
}

TEST(ZenconnBinary, DoesNotUnpackMoreThanItMay) {
  const auto large = encode_binary(request{
      request::kind::broadcast, "a", "", '"' + std::string(50'000, 'x') + '"'});
  EXPECT_FALSE(is_stranger(large));
  EXPECT_TRUE(is_stranger(large, 10'000));
  // A segment of 256 MiB of zeros in a few bytes.
  std::string bomb{"\x10\x02", 2};
  bomb += std::string{"\x00\xff", 2};
  EXPECT_TRUE(is_stranger(bomb));
}

/// Z12: strictly smaller than the default, both of them.
TEST(ZenconnBinary, Z12EventsAreSmallerInBothCompactSpellings) {
  for (const auto& each :
       {event_with("a", "1", ""),
        event_with("a", R"({"data":"HELLO"})", session),
        event_with("private.notifications", R"({ "data" : "HELLO" })", session),
        event_with("news", '"' + std::string(3000, 'y') + '"', "anna")}) {
    const auto full = encode(each, false).size();
    EXPECT_LT(encode(each, true).size(), full);
    EXPECT_LT(encode_binary(each).size(), full);
  }
}

} // namespace
} // namespace troupe::net::zenconn
