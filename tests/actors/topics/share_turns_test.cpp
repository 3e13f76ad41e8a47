// SPDX-License-Identifier: Apache-2.0
#include "actors/topics/share_turns.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace troupe::actors::topics {
namespace {

using core::node_id;

constexpr node_id self{2};

/// Three here on two loops, and others on the nodes before and behind.
cluster::shared_audience crew() {
  return {cluster::filter_id{9},
          "crew",
          "jobs/+",
          {{0, 1}, {2, 2}},
          {{node_id{3}, 1}, {node_id{1}, 2}}};
}

core::publication about(const std::string& topic, std::uint64_t publisher = 1) {
  core::publication p;
  p.topic = *core::topic::parse(topic);
  p.publisher = publisher;
  p.node = self;
  return p;
}

TEST(ShareTurns, EverybodyHasATurnBeforeAnybodyHasTwo) {
  share_turns turns{self, core::share_policy::round_robin};
  std::map<std::pair<node_id, std::uint32_t>, int> had;
  for (int i = 0; i < 12; ++i) {
    const auto seat = turns.next(crew(), about("jobs/1"));
    ++had[{seat.node, seat.which}];
  }
  EXPECT_EQ(had.size(), 6U);
  for (const auto& [seat, count] : had)
    EXPECT_EQ(count, 2);
}

TEST(ShareTurns, EachSharedSubscriptionHasItsOwnTurns) {
  share_turns turns{self, core::share_policy::round_robin};
  auto other = crew();
  other.share = "others";
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(turns.next(crew(), about("jobs/1")),
              turns.next(other, about("jobs/1")));
}

TEST(ShareTurns, ThoseHereComeFirstIfThatIsWanted) {
  share_turns turns{self, core::share_policy::local};
  for (std::uint32_t i = 0; i < 6; ++i)
    EXPECT_EQ(turns.next(crew(), about("jobs/1")), (share_seat{self, i % 3}));
  auto none_here = crew();
  none_here.loops.clear();
  EXPECT_NE(turns.next(none_here, about("jobs/1")).node, self);
}

TEST(ShareTurns, ATopicOrAPublisherStaysWithOne) {
  // As another node sees the same crew.
  cluster::shared_audience elsewhere{
      {}, "crew", "jobs/+", {{0, 1}}, {{node_id{1}, 2}, {self, 3}}};
  share_turns by_topic{self, core::share_policy::by_topic};
  share_turns there{node_id{3}, core::share_policy::by_topic};
  share_turns by_publisher{self, core::share_policy::by_publisher};
  std::map<std::uint32_t, int> nodes;
  for (int i = 0; i < 60; ++i) {
    const auto name = "jobs/" + std::to_string(i);
    const auto seat = by_topic.next(crew(), about(name));
    EXPECT_EQ(by_topic.next(crew(), about(name, 2)), seat);
    EXPECT_EQ(there.next(elsewhere, about(name)), seat);
    ++nodes[seat.node.value()];
    const auto publisher = static_cast<std::uint64_t>(i);
    EXPECT_EQ(by_publisher.next(crew(), about("jobs/1", publisher)),
              by_publisher.next(crew(), about("jobs/2", publisher)));
  }
  EXPECT_EQ(nodes.size(), 3U);
}

TEST(ShareTurns, InsteadOfOneOutOfReachAllOthersAreTried) {
  const share_turns turns{self, core::share_policy::round_robin};
  EXPECT_EQ(turns.instead(crew(), 0), (share_seat{self, 0}));
  EXPECT_EQ(turns.instead(crew(), 1), (share_seat{node_id{3}, 0}));
  EXPECT_EQ(turns.instead(crew(), 2), (share_seat{node_id{1}, 0}));
  EXPECT_EQ(turns.instead(crew(), 3), std::nullopt);
  auto none_here = crew();
  none_here.loops.clear();
  EXPECT_EQ(turns.instead(none_here, 0), (share_seat{node_id{3}, 0}));
}

TEST(ShareTurns, ToPeekTakesNoTurn) {
  for (const auto policy :
       {core::share_policy::round_robin, core::share_policy::local,
        core::share_policy::by_publisher, core::share_policy::by_topic}) {
    share_turns turns{self, policy};
    for (std::uint64_t i = 0; i < 13; ++i) {
      const auto what = about("jobs/" + std::to_string(i % 4), i % 3);
      const auto seen = turns.peek(crew(), what);
      EXPECT_EQ(turns.peek(crew(), what), seen);
      EXPECT_EQ(turns.next(crew(), what), seen);
    }
  }
}

} // namespace
} // namespace troupe::actors::topics
