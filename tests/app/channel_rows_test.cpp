// SPDX-License-Identifier: Apache-2.0
#include "app/channel_rows.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::app {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

channel_row row(std::string topic, std::uint64_t listeners,
                std::uint64_t rate = 0) {
  channel_row made;
  made.realm = "default";
  made.topic = std::move(topic);
  made.listeners = listeners;
  made.rate = rate;
  return made;
}

std::vector<channel_row> some() {
  return {row("a", 1, 500), row("c", 3), row("b", 3, 100), row("d/x", 2)};
}

channel_question question(std::vector<std::pair<std::string, std::string>> q) {
  net::http_request request;
  request.query = std::move(q);
  const auto made = channel_question::of(request);
  EXPECT_TRUE(made);
  return made.value_or(channel_question{});
}

texts topics_of(const channel_page& page) {
  texts all;
  for (const auto& each : page.rows)
    all.push_back(each.topic);
  return all;
}

TEST(ChannelRows, ComeTheLargestFirstThenByName) {
  EXPECT_EQ(topics_of(page_of(some(), question({}))),
            (texts{"b", "c", "d/x", "a"}));
  EXPECT_EQ(topics_of(page_of(some(), question({{"sort", "rate"}}))),
            (texts{"a", "b", "c", "d/x"}));
  EXPECT_EQ(topics_of(page_of(some(), question({{"sort", "name"}}))),
            (texts{"a", "b", "c", "d/x"}));
}

TEST(ChannelRows, PagesFollowEachOtherWithoutAGap) {
  texts seen;
  auto wanted = question({{"limit", "1"}});
  for (int i = 0; i < 10; ++i) {
    const auto page = page_of(some(), wanted);
    for (const auto& each : page.rows)
      seen.push_back(each.topic);
    if (page.next.empty())
      break;
    wanted = question({{"limit", "1"}, {"after", page.next}});
  }
  EXPECT_EQ(seen, (texts{"b", "c", "d/x", "a"}));
}

TEST(ChannelRows, OnlyThoseAskedForAreShown) {
  EXPECT_EQ(topics_of(page_of(some(), question({{"prefix", "d/"}}))),
            texts{"d/x"});
  EXPECT_EQ(topics_of(page_of(some(), question({{"topic", "a"}}))), texts{"a"});
  EXPECT_TRUE(page_of(some(), question({{"realm", "other"}})).rows.empty());
}

TEST(ChannelRows, AQuestionWithoutSenseIsNone) {
  for (const auto& [key, value] :
       {std::pair{"limit", "0"}, std::pair{"limit", "1001"},
        std::pair{"sort", "size"}, std::pair{"after", "x"},
        std::pair{"after", "1.default"}, std::pair{"after", "x.default/a"}}) {
    net::http_request request;
    request.query = {{key, value}};
    EXPECT_FALSE(channel_question::of(request)) << key << "=" << value;
  }
}

TEST(ChannelRows, AnotherNodeReadsWhatOneHasWritten) {
  auto full = row("a/b", 5, 12'345);
  full.users = 2;
  full.published = 7;
  full.received = 8;
  full.delivered = 9;
  full.dropped = 10;
  full.last_published_ms = 1'700'000'000'000;
  full.restricted = true;
  const channel_page page{{full, row("quiet", 0)}, "0.default/quiet"};
  const auto read = channel_page_of(boost::json::serialize(to_json(page)));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->rows.size(), 2U);
  const auto& back = read->rows[0];
  EXPECT_EQ(back.topic, "a/b");
  EXPECT_EQ(back.listeners, 5U);
  EXPECT_EQ(back.users, 2U);
  EXPECT_EQ(back.published, 7U);
  EXPECT_EQ(back.received, 8U);
  EXPECT_EQ(back.delivered, 9U);
  EXPECT_EQ(back.dropped, 10U);
  EXPECT_EQ(back.last_published_ms, 1'700'000'000'000U);
  EXPECT_EQ(back.rate, 12'345U);
  EXPECT_TRUE(back.restricted);
  EXPECT_EQ(read->rows[1].last_published_ms, 0U);
  EXPECT_EQ(read->next, page.next);
}

TEST(ChannelRows, NonsenseOfAnotherNodeIsNoPage) {
  for (const auto* text :
       {"", "[]", "{}", R"({"channels":[],"next")", R"({"channels":{}})",
        R"({"channels":[1],"next":null})",
        R"({"channels":[{"realm":"r","topic":"t"}],"next":null})",
        R"({"channels":[{"realm":"r","topic":"t","listeners":-1,"users":0,)"
        R"("published":0,"received":0,"delivered":0,"dropped":0,"rate":0,)"
        R"("last_published_ms":null,"private":false}],"next":null})"})
    EXPECT_FALSE(channel_page_of(text)) << text;
}

TEST(ChannelRows, RowsOfNodesAddUp) {
  auto here = row("a", 2, 300);
  here.published = 4;
  here.delivered = 8;
  auto there = row("a", 3, 310);
  there.received = 4;
  there.delivered = 12;
  channel_sums sums;
  sums.add(core::node_id{1}, {{here, row("only here", 1)}, ""});
  sums.add(core::node_id{2}, {{there}, ""});
  const auto rows = sums.rows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].listeners, 5U);
  EXPECT_EQ(rows[0].published, 4U);
  EXPECT_EQ(rows[0].delivered, 20U);
  EXPECT_EQ(rows[0].rate, 310U); // both see the same publications
  ASSERT_EQ(rows[0].nodes.size(), 2U);
  EXPECT_EQ(rows[0].nodes[1], (std::pair{core::node_id{2}, std::uint64_t{3}}));
  EXPECT_EQ(rows[1].nodes.size(), 1U);
}

TEST(ChannelRows, ARateFadesWhileNothingIsReported) {
  actors::channels::channel_summary summary{"default", "a"};
  const core::steady_time then{1h};
  summary.rate = 100.0;
  summary.rate_at = then.time_since_epoch().count();
  EXPECT_EQ(row_of(summary, then).rate, 100'000U);
  EXPECT_NEAR(static_cast<double>(row_of(summary, then + 5s).rate), 36'788, 1);
  EXPECT_EQ(row_of(summary, then + 10min).rate, 0U);
}

TEST(ChannelRows, APathNamesTheActor) {
  const auto text = boost::json::serialize(
      to_json(channel_page{{row("a b//c%2Fd", 1), row("\xff", 1)}, ""}));
  EXPECT_NE(text.find(R"("path":"/channels/default/a%20b//c%252Fd")"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("topic":"%FF")"), std::string::npos) << text;
}

} // namespace
} // namespace troupe::app
