// SPDX-License-Identifier: Apache-2.0
#include "app/explain_question.hpp"
#include "net/mqtt/crossing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace troupe::app {
namespace {

net::http_request
asked(std::vector<std::pair<std::string, std::string>> query) {
  net::http_request to;
  to.method = "GET";
  to.path = "/explain";
  to.query = std::move(query);
  return to;
}

TEST(ExplainQuestion, ReadsWhatIsAsked) {
  const auto q = explain_question::of(asked({{"topic", "a/b"},
                                             {"qos", "2"},
                                             {"retain", "true"},
                                             {"bytes", "12"},
                                             {"content_type", "text/plain"},
                                             {"property", "k=v=w"},
                                             {"user", "anna"},
                                             {"client", "lamp"},
                                             {"limit", "7"}}));
  ASSERT_TRUE(q) << core::to_string(q.error());
  EXPECT_EQ(q->rows, 7U);
  EXPECT_EQ(q->user, "anna");
  const auto what = q->publication();
  ASSERT_TRUE(what);
  EXPECT_EQ(what->payload.size(), 12U);
  EXPECT_EQ(what->content_type, "text/plain");
  const auto marks = net::mqtt::marks_of(*what);
  EXPECT_EQ(marks.level, net::mqtt::qos::exactly_once);
  EXPECT_TRUE(marks.retain);
  const auto said = net::mqtt::properties_of(*what);
  ASSERT_EQ(said.user.size(), 1U);
  EXPECT_EQ(said.user.front().second, "v=w");
}

TEST(ExplainQuestion, CrossesToAnotherNodeAsItIs) {
  auto q = *explain_question::of(asked({{"topic", "a/b"},
                                        {"qos", "1"},
                                        {"expiry", "60"},
                                        {"property", "k=v"},
                                        {"address", "192.0.2.1"}}));
  q.received =
      explain_question::relayed{3, 99, "anna", false, {{"crew", "a/+", 4}}};
  const auto again = explain_question::of(q.request());
  ASSERT_TRUE(again) << core::to_string(again.error());
  EXPECT_EQ(again->request().query, q.request().query);
  const auto what = again->publication();
  EXPECT_EQ(what->node, core::node_id{3});
  EXPECT_EQ(what->queued_as_of, 99U);
  EXPECT_EQ(what->sender, "anna");
  EXPECT_EQ(again->received->turns, q.received->turns);
  EXPECT_FALSE(again->received->for_all);
}

TEST(ExplainQuestion, FitsIntoAQuestionToAnotherNode) {
  auto q = *explain_question::of(asked({{"topic", "a"}, {"expiry", "1"}}));
  q.user = "u";
  q.properties.assign(explain_question::properties_max, {"k", "v"});
  q.received.emplace();
  q.received->turns.assign(explain_question::turns_max, {"s", "f", 1});
  EXPECT_LE(q.request().query.size(), 64U);
}

TEST(ExplainQuestion, RefusesWhatIsNone) {
  using query = std::vector<std::pair<std::string, std::string>>;
  for (const auto& each : std::vector<query>{
           {},
           {{"topic", "a/#"}},
           {{"topic", "a"}, {"qos", "3"}},
           {{"topic", "a"}, {"bytes", "99999999999"}},
           {{"topic", "a"}, {"property", "x"}},
           {{"topic", "a"}, {"limit", "0"}},
           {{"topic", "a"}, {"from", "x"}},
           {{"topic", "a"}, {"from", "1"}, {"turn", "1/crew"}},
       })
    EXPECT_FALSE(explain_question::of(asked(each)));
}

} // namespace
} // namespace troupe::app
