// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/channel.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::zenconn {
namespace {

std::string topic_text(std::string_view channel) {
  const auto found = topic_of(channel);
  return found ? found->text() : "none";
}

TEST(ZenconnChannel, PublicOnesAreTopicsByWhatLiesBetweenSlashes) {
  EXPECT_EQ(topic_text("news"), "news");
  EXPECT_EQ(topic_text("a/b c"), "a/b c");
  EXPECT_EQ(topic_text("a.b"), "a.b");
  EXPECT_EQ(topic_text("a+#"), "a%2B%23");
}

TEST(ZenconnChannel, PrivateOnesAreOutOfReachOfOthers) {
  EXPECT_EQ(topic_text("private.x/y"), "$zenconn/private/x/y");
  EXPECT_EQ(topic_text("*"), "$zenconn/all");
  EXPECT_TRUE(is_private("private.x"));
  EXPECT_FALSE(is_private("privatex"));
}

TEST(ZenconnChannel, NobodySpellsTheBrokersOwnTopics) {
  EXPECT_EQ(topic_text("$zenconn/all"), "none");
  EXPECT_EQ(topic_text("$SYS"), "none");
  EXPECT_EQ(topic_text(""), "none");
  EXPECT_EQ(topic_text("private."), "none");
}

TEST(ZenconnChannel, QuestionsHaveOneTopicForEachChannel) {
  EXPECT_EQ(question_topic("a/b")->text(), "$troupe/zenconn/members/a%2Fb");
  EXPECT_EQ(question_topic("*")->text(), "$troupe/zenconn/members/%2A");
  EXPECT_EQ(answer_topic(core::node_id{3}, 1).text(),
            "$troupe/zenconn/counted/3/1");
}

} // namespace
} // namespace troupe::net::zenconn
