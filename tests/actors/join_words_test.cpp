// SPDX-License-Identifier: Apache-2.0
#include "actors/join_words.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::actors {
namespace {

const join_request question{core::node_id{7}, "token", "box",
                            "10.0.0.1:7001",  42,      true};
const join_answer reply{join_verdict::admitted,
                        "",
                        core::node_id{7},
                        16,
                        {{core::node_id{1}, "a:1"}, {core::node_id{2}, "b:2"}}};

TEST(JoinWords, ArriveAsTheyWereSaid) {
  const auto request = encode(question);
  EXPECT_EQ(*decode_join_request(request.view()), question);
  const auto answer = encode(reply);
  EXPECT_EQ(*decode_join_answer(answer.view()), reply);
  const auto none = encode(join_answer{});
  EXPECT_EQ(*decode_join_answer(none.view()), join_answer{});
}

TEST(JoinWords, CutShortOrTooLongAreRefused) {
  const auto longer = [](const core::shared_bytes& words) {
    return std::string{core::as_text(words.view())} + "x";
  };
  const auto request = encode(question);
  for (std::size_t size = 0; size < request.size(); ++size)
    EXPECT_FALSE(decode_join_request(request.view().subspan(0, size)));
  EXPECT_FALSE(decode_join_request(core::as_bytes(longer(request))));
  const auto answer = encode(reply);
  for (std::size_t size = 0; size < answer.size(); ++size)
    EXPECT_FALSE(decode_join_answer(answer.view().subspan(0, size)));
  EXPECT_FALSE(decode_join_answer(core::as_bytes(longer(answer))));
}

TEST(JoinWords, OfANewerVersionAreToldApart) {
  auto text = std::string{core::as_text(encode(question).view())};
  text[0] = 2;
  EXPECT_EQ(decode_join_request(core::as_bytes(text)).error().code,
            core::errc::newer_format);
  text[0] = 0;
  EXPECT_EQ(decode_join_request(core::as_bytes(text)).error().code,
            core::errc::malformed);
}

} // namespace
} // namespace troupe::actors
