// SPDX-License-Identifier: Apache-2.0
#include "actors/topics/topic_router.hpp"
#include "tests/support/deterministic_system.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors::topics {
namespace {

using core::fate;
using core::node_id;

core::topic_filter filter(std::string_view text) {
  return *core::topic_filter::parse(text);
}

core::publication publication(std::string_view name) {
  core::publication p;
  p.topic = *core::topic::parse(name);
  p.payload = core::shared_bytes::copy_of("x");
  return p;
}

struct listener final : topic_subscriber {
  void deliver(const core::publication_ptr&, std::uint64_t) override { ++got; }
  int got = 0;
};

class TopicForecast : public testing::Test {
protected:
  topic_subscription subscribe(std::string_view text, listener& to,
                               std::string share = {}) {
    subscribe_options options;
    options.share = std::move(share);
    return std::move(*router_->subscribe("default", filter(text), to, options));
  }
  publish_forecast foretell(core::publication what, std::size_t rows = 10,
                            const std::vector<share_name>& without = {}) {
    std::optional<publish_forecast> found;
    router_->foretell(std::move(what), without, rows,
                      [&](publish_forecast made) { found = std::move(made); });
    EXPECT_TRUE(found);
    return std::move(*found);
  }
  void peer_wants(std::uint32_t node, const std::string& text,
                  const std::string& share = {}, std::uint32_t count = 1) {
    auto& board = router_->board();
    board.apply(*board.open_table(node_id{node}),
                {{"default", text, true, share, count}});
  }

  test_support::deterministic_system system_;
  std::shared_ptr<topic_router> router_ = std::make_shared<topic_router>(
      system_.system(), router_options{node_id{1}, {9, 100}, {}});
};

TEST_F(TopicForecast, SaysWhoAndTellsNobody) {
  listener a;
  listener b;
  const auto one = subscribe("news/+", a);
  const auto two = subscribe("news/#", b);
  const auto three = subscribe("other", b);
  peer_wants(2, "news/today");
  const auto found = foretell(publication("news/today"));
  EXPECT_EQ(a.got + b.got, 0);
  EXPECT_EQ(router_->stats().published, 0U);
  EXPECT_EQ(found.here.total(), 2U);
  EXPECT_EQ(found.here.count(fate::given), 2U);
  EXPECT_EQ(found.peers, std::vector{node_id{2}});
  EXPECT_EQ(found.filters.size(), 3U);
  ASSERT_EQ(found.here.rows().size(), 2U);
  EXPECT_NE(found.here.rows()[0].filters, found.here.rows()[1].filters);
  EXPECT_TRUE(router_->publish(publication("news/today")));
  EXPECT_EQ(a.got + b.got, 2);
}

TEST_F(TopicForecast, RowsHaveABoundAndCountsHaveNone) {
  listener a;
  std::vector<topic_subscription> all;
  for (int i = 0; i < 7; ++i)
    all.push_back(subscribe("x", a));
  const auto found = foretell(publication("x"), 3);
  EXPECT_EQ(found.here.rows().size(), 3U);
  EXPECT_EQ(found.here.total(), 7U);
}

TEST_F(TopicForecast, TheNextOfAShareIsTheOneWhoGetsIt) {
  listener a;
  listener b;
  const auto one = subscribe("jobs", a, "crew");
  const auto two = subscribe("jobs", b, "crew");
  for (int i = 0; i < 4; ++i) {
    const auto found = foretell(publication("jobs"));
    ASSERT_EQ(found.shares.size(), 1U);
    EXPECT_EQ(found.shares[0].next.node, node_id{1});
    EXPECT_EQ(found.here.total(), 1U);
    EXPECT_EQ(found.here.rows()[0].share, "crew");
    const auto before = a.got;
    EXPECT_TRUE(router_->publish(publication("jobs")));
    EXPECT_EQ(a.got - before, found.shares[0].next.which == 0 ? 1 : 0);
  }
  EXPECT_EQ(a.got, 2);
  EXPECT_EQ(b.got, 2);
  EXPECT_TRUE(
      foretell(publication("jobs"), 10, {{"crew", "jobs"}}).shares.empty());
}

TEST_F(TopicForecast, WhatAnotherNodeSendsGoesToThoseWhoAreMeant) {
  listener a;
  listener b;
  const auto one = subscribe("jobs", a);
  const auto two = subscribe("jobs", b, "crew");
  const auto asked = [&](sent_publication what) {
    std::optional<publish_forecast> found;
    router_->foretell_received(std::move(what), 10, [&](publish_forecast made) {
      found = std::move(made);
    });
    return std::move(*found);
  };
  EXPECT_EQ(asked({publication("jobs"), true, {}}).here.total(), 1U);
  EXPECT_EQ(
      asked({publication("jobs"), false, {{"crew", "jobs", 0}}}).here.total(),
      1U);
  EXPECT_EQ(
      asked({publication("jobs"), true, {{"crew", "jobs", 0}}}).here.total(),
      2U);
  EXPECT_EQ(a.got + b.got, 0);
}

TEST_F(TopicForecast, WhoWantsNothingOfHisOwnIsSaidSo) {
  listener a;
  subscribe_options options;
  options.no_local = true;
  options.publisher = 5;
  const auto one =
      std::move(*router_->subscribe("default", filter("x"), a, options));
  auto what = publication("x");
  what.publisher = 5;
  const auto found = foretell(what);
  EXPECT_EQ(found.here.count(fate::dropped), 1U);
  EXPECT_EQ(found.here.rows()[0].why, "no local");
}

} // namespace
} // namespace troupe::actors::topics
