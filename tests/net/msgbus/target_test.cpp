// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/target.hpp"

#include <gtest/gtest.h>

namespace troupe::net::msgbus {
namespace {

TEST(MsgbusTarget, TheChannelIsRawUpToTheQuery) {
  EXPECT_EQ(parse_target("/msgbus/foo/bar")->channel, "foo/bar");
  EXPECT_EQ(parse_target("/msgbus/a%20b?x=1")->channel, "a%20b");
  EXPECT_EQ(parse_target("/msgbus/../x")->channel, "../x");
  EXPECT_EQ(parse_target("/msgbus//")->channel, "/");
  EXPECT_EQ(parse_target("/msgbus/")->channel, "");
  EXPECT_EQ(parse_target("/msgbus/?type=*")->channel, "");
}

TEST(MsgbusTarget, OtherPathsAreNotTheBus) {
  for (const auto* text : {"/msgbus", "/msgbus?x", "/Msgbus/a", "msgbus/a", "/",
                           "", "//msgbus/a", "/%6dsgbus/a"})
    EXPECT_FALSE(parse_target(text)) << text;
}

TEST(MsgbusTarget, ParametersAreDecoded) {
  EXPECT_EQ(parse_target("/msgbus/a?type=text%2F%2A%2Cimage%2F%2A")->type,
            "text/*,image/*");
  EXPECT_EQ(parse_target("/msgbus/a?type=*&sender=a+b")->sender, "a b");
  EXPECT_EQ(parse_target("/msgbus/a?type=%zz%4")->type, "%zz%4");
  EXPECT_EQ(parse_target("/msgbus/a?type=a=b")->type, "a=b");
}

TEST(MsgbusTarget, NamesHaveNoCaseAndTheFirstCounts) {
  const auto found = parse_target("/msgbus/a?TYPE=x&type=y&Sender=z");
  EXPECT_EQ(found->type, "x");
  EXPECT_EQ(found->sender, "z");
}

TEST(MsgbusTarget, EmptyIsNotAbsent) {
  EXPECT_EQ(parse_target("/msgbus/a?type=")->type, "");
  EXPECT_EQ(parse_target("/msgbus/a?type")->type, "");
  EXPECT_FALSE(parse_target("/msgbus/a?other=1&&=")->type);
}

TEST(MsgbusTarget, OurOwnParameters) {
  const auto found = parse_target("/msgbus/a?poll=1&since=7-1&format=json");
  EXPECT_EQ(found->poll, "1");
  EXPECT_EQ(found->since, "7-1");
  EXPECT_EQ(found->format, "json");
}

} // namespace
} // namespace troupe::net::msgbus
