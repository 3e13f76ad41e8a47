// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cluster_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace {

using namespace troupe;
using namespace std::chrono_literals;

class Replication : public test_support::cluster_fixture {
protected:
  /// Posts to every group through its leader, and lets them be applied.
  void post_some(int count) {
    for (int i = 0; i < count; ++i)
      for (std::uint16_t g = 1; g <= settings_.shards; ++g)
        post(g, leader_of(g));
    settle();
  }
  bool answer_all() {
    return wait_until([this] {
      retry_posts();
      return unanswered() == 0;
    });
  }
};

TEST_F(Replication, ThreeReplicasElectOneLeaderAGroup) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  advance(5s);
  EXPECT_TRUE(wait_for_leaders());
}

TEST_F(Replication, WhatTheLeaderAcknowledgesAllHave) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  post_some(50);
  EXPECT_EQ(acknowledged().size(), 100U);
  advance(200ms);
  expect_same_tables({1, 2, 3});
}

TEST_F(Replication, NothingIsAcknowledgedWithoutAMajority) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  const auto leader = leader_of(1);
  network_.isolate(core::node_id{leader}, 3);
  post(1, leader);
  advance(300ms);
  EXPECT_TRUE(acknowledged().empty());
}

TEST_F(Replication, AFollowerSaysWhoLeads) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  const auto leader = leader_of(1);
  const auto other = leader % 3 + 1;
  EXPECT_EQ(node(other).context().leader_of(core::group_id{1}),
            core::node_id{leader});
  const auto answer = ask_to_post(1, other);
  EXPECT_EQ(answer.outcome.failure.code, core::errc::not_leader);
  EXPECT_EQ(answer.leader, core::node_id{leader});
}

TEST_F(Replication, AKilledLeaderIsReplacedAndNothingIsLost) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  for (int round = 0; round < 6; ++round) {
    post_some(10);
    const auto victim = leader_of(1);
    ASSERT_NE(victim, 0U);
    for (int i = 0; i < 5; ++i)
      post(1, victim); // some of these reach nobody
    system_.run();
    crash(victim);
    ASSERT_TRUE(wait_for_leaders());
    ASSERT_TRUE(answer_all());
    start_node(victim);
    ASSERT_TRUE(wait_for_leaders());
  }
  advance(2s);
  expect_same_tables({1, 2, 3});
}

TEST_F(Replication, ADeposedLeaderGivesUpWhatItHadProposed) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  post_some(3);
  const auto old = leader_of(1);
  network_.isolate(core::node_id{old}, 3);
  for (int i = 0; i < 5; ++i)
    post(1, old);
  ASSERT_TRUE(wait_until([&] {
    const auto now = leader_of(1);
    return now != 0 && now != old;
  }));
  const auto fresh = leader_of(1);
  for (int i = 0; i < 5; ++i)
    post(1, fresh);
  settle();
  EXPECT_EQ(acknowledged().size(), 6U + 5U);
  network_.heal();
  ASSERT_TRUE(answer_all());
  advance(2s);
  expect_same_tables({1, 2, 3});
}

TEST_F(Replication, AFollowerComesBackWithItsLog) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  post_some(20);
  const auto follower = leader_of(1) % 3 + 1;
  crash(follower);
  ASSERT_TRUE(wait_for_leaders());
  post_some(20);
  ASSERT_TRUE(answer_all());
  start_node(follower);
  advance(2s);
  expect_same_tables({1, 2, 3});
}

TEST_F(Replication, ALossyNetworkLosesNothingAcknowledged) {
  start({});
  network_.loss = 100;
  network_.delay_max = 40ms;
  ASSERT_TRUE(wait_for_leaders());
  for (int i = 0; i < 40; ++i) {
    post(1, leader_of(1));
    post(2, leader_of(2));
    advance(50ms);
    retry_posts();
  }
  network_.loss = 0;
  ASSERT_TRUE(answer_all());
  advance(3s);
  expect_same_tables({1, 2, 3});
  EXPECT_EQ(acknowledged().size(), 80U);
}

TEST_F(Replication, FullLinksOnlySlowItDown) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  network_.room = 3;
  post_some(200);
  network_.room = 100;
  ASSERT_TRUE(answer_all());
  advance(2s);
  expect_same_tables({1, 2, 3});
}

} // namespace
