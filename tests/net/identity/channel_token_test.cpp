// SPDX-License-Identifier: Apache-2.0
#include "net/identity/channel_token.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace troupe::net::identity {
namespace {

constexpr auto session = "034ece10-acce-444c-a8ba-51abc444a837";
constexpr auto channel = "private.notifications";
constexpr auto token =
    "c2b2ec27cc1e43eb221f0e8efe89f26b1643322487d903d9ca903ee0307ae65f";

TEST(ChannelToken, IsTheHmacOfSessionAndChannel) {
  EXPECT_EQ(make_channel_token("s3cret", session, channel), token);
  EXPECT_TRUE(channel_token_fits("s3cret", session, channel, token));
}

TEST(ChannelToken, FitsNoOtherSessionChannelOrSecret) {
  const std::string other{"134ece10-acce-444c-a8ba-51abc444a837"};
  EXPECT_FALSE(channel_token_fits("s3cret", other, channel, token));
  EXPECT_FALSE(channel_token_fits("s3cret", session, "private.other", token));
  EXPECT_FALSE(channel_token_fits("secret", session, channel, token));
  EXPECT_FALSE(channel_token_fits("s3cret", session, channel, ""));
  EXPECT_FALSE(channel_token_fits("s3cret", session, channel,
                                  std::string{token}.substr(1)));
}

TEST(ChannelToken, OpensNothingWithoutASecret) {
  EXPECT_FALSE(channel_token_fits("", session, channel,
                                  make_channel_token("", session, channel)));
}

TEST(Uuid, IsRandomAndOfVersionFour) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto id = make_uuid();
    ASSERT_EQ(id.size(), 36U);
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(std::string{"89ab"}.find(id[19]), std::string::npos);
    for (const std::size_t at : {8U, 13U, 18U, 23U})
      EXPECT_EQ(id[at], '-');
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 100U);
}

} // namespace
} // namespace troupe::net::identity
