// SPDX-License-Identifier: Apache-2.0
#include "actors/replica.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>

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

TEST_F(Replication, TheLeaderMeasuresHowLongCommitsTake) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  const auto measured = [&](std::uint32_t id) {
    const auto& times = node(id).context().stats.commit_times;
    std::uint64_t all = 0;
    for (std::size_t b = 0; b <= core::time_histogram::bounds; ++b)
      all += times.count(b);
    return all;
  };
  const auto leader = leader_of(1);
  advance(100ms);
  const auto before = measured(leader);
  const auto sum = node(leader).context().stats.commit_times.sum();
  // The followers' acknowledgements take their time.
  network_.filter = [](core::node_id, core::node_id, core::group_id group,
                       actors::group_frame_kind) {
    return group != core::group_id{1};
  };
  post(1, leader);
  advance(30ms);
  EXPECT_EQ(measured(leader), before) << "nothing is committed";
  network_.filter = nullptr;
  ASSERT_TRUE(answer_all());
  EXPECT_GT(measured(leader), before);
  EXPECT_GE(node(leader).context().stats.commit_times.sum() - sum, 30ms);
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

TEST_F(Replication, AFollowerPassesPostsOn) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  const auto leader = leader_of(1);
  const auto other = leader % 3 + 1;
  EXPECT_EQ(node(other).context().leader_of(core::group_id{1}),
            core::node_id{leader});
  const auto answer = ask_to_post(1, other);
  EXPECT_EQ(answer.outcome.failure.code, core::errc::ok);
  EXPECT_TRUE(answer.outcome.id);
  for (int i = 0; i < 300; ++i)
    post(1, 1 + static_cast<std::uint32_t>(i % 3), 5000);
  settle();
  EXPECT_EQ(unanswered(), 0U);
  advance(200ms);
  expect_same_tables({1, 2, 3});
}

TEST_F(Replication, WithoutALeaderTheAnswerSaysSo) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  const auto leader = leader_of(1);
  const auto other = leader % 3 + 1;
  network_.isolate(core::node_id{other}, 3);
  EXPECT_EQ(ask_to_post(1, other).outcome.failure.code, core::errc::not_leader);
  // One that loses its leader on the way gives up by itself.
  network_.heal();
  advance(2s);
  network_.filter = [](auto, auto, auto, actors::group_frame_kind kind) {
    return kind != actors::group_frame_kind::answers;
  };
  const auto lost = ask_to_post(1, other);
  EXPECT_EQ(lost.ticket, 0U) << "no answer yet";
  advance(3s);
  const auto late = last_answer();
  EXPECT_EQ(late.outcome.failure.code, core::errc::not_leader);
  EXPECT_EQ(late.leader, core::node_id{leader_of(1)});
}

TEST_F(Replication, AskedAgainElsewhereTheFirstOutcomeIsTold) {
  start({});
  ASSERT_TRUE(wait_for_leaders());
  const auto leader = leader_of(1);
  const core::idempotency_key key{77, 1};
  const auto first = ask_to_post(1, leader, key);
  ASSERT_TRUE(first.outcome.id);
  advance(200ms);
  crash(leader);
  ASSERT_TRUE(wait_for_leaders());
  const auto again = ask_to_post(1, leader_of(1), key);
  EXPECT_EQ(again.outcome, first.outcome);
  // It is there once.
  advance(200ms);
  const auto fresh = ask_to_post(1, leader_of(1), {77, 2});
  EXPECT_NE(fresh.outcome.id, first.outcome.id);
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

// ----------------------------------------------------------------- snapshots

class Snapshots : public Replication {
protected:
  Snapshots() { with_.raft.keep_entries = 2; }
  /// A follower of group 1 misses so much that the log has dropped it.
  void leave_behind() {
    start(with_);
    ASSERT_TRUE(wait_for_leaders());
    post_some(10);
    behind_ = leader_of(1) % 3 + 1;
    crash(behind_);
    ASSERT_TRUE(wait_for_leaders());
    // Enough bytes for a compaction.
    fill(5);
    ASSERT_TRUE(answer_all());
    advance(200ms);
  }
  /// Large posts to group 1, about a megabyte each.
  void fill(int count) {
    for (int i = 0; i < count; ++i) {
      post(1, leader_of(1), 1'000'000);
      settle();
    }
  }
  std::uint64_t installed(std::uint32_t id) {
    return node(id).context().stats.snapshots_installed.load();
  }
  [[nodiscard]] std::size_t spool_files() const {
    std::size_t found = 0;
    for (const auto& at : nodes_)
      for ([[maybe_unused]] const auto& file :
           std::filesystem::directory_iterator{at->folder.path() / "spool"})
        ++found;
    return found;
  }

  settings with_;
  std::uint32_t behind_ = 0;
};

TEST_F(Snapshots, AFollowerFarBehindGetsTheTables) {
  leave_behind();
  start_node(behind_);
  ASSERT_TRUE(wait_until([&] { return installed(behind_) > 0; }));
  post_some(5);
  advance(1s);
  EXPECT_EQ(installed(behind_), 1U);
  EXPECT_EQ(spool_files(), 0U);
  expect_same_tables({1, 2, 3});
}

TEST_F(Snapshots, TheGroupServesWhileOneTravels) {
  leave_behind();
  disks_work_ = false;
  start_node(behind_);
  advance(2s);
  post_some(20);
  EXPECT_EQ(unanswered(), 0U);
  EXPECT_EQ(installed(behind_), 0U);
  disks_work_ = true;
  ASSERT_TRUE(wait_until([&] { return installed(behind_) > 0; }));
  advance(1s);
  expect_same_tables({1, 2, 3});
}

TEST_F(Snapshots, ALinkThatBreaksOnTheWayCostsNoNewStart) {
  leave_behind();
  start_node(behind_);
  int chunks = 0;
  bool broken = false;
  network_.filter = [&](auto, auto, auto, actors::group_frame_kind kind) {
    if (kind != actors::group_frame_kind::snapshot_chunk)
      return true;
    broken = ++chunks > 8 && chunks <= 12;
    return !broken;
  };
  ASSERT_TRUE(wait_until([&] { return installed(behind_) > 0; }));
  std::uint64_t sent = 0;
  std::uint64_t rewinds = 0;
  for (auto& at : nodes_) {
    sent += at->context().stats.snapshot_bytes_sent.load();
    rewinds += at->context().stats.snapshot_rewinds.load();
  }
  EXPECT_GE(rewinds, 1U);
  EXPECT_LT(sent, 8'000'000U) << "the first part was not sent again";
  advance(1s);
  expect_same_tables({1, 2, 3});
}

TEST_F(Snapshots, ALossyNetworkBringsThemThrough) {
  leave_behind();
  network_.loss = 50;
  network_.delay_max = 30ms;
  start_node(behind_);
  ASSERT_TRUE(wait_until([&] { return installed(behind_) > 0; }, 120s));
  network_.loss = 0;
  ASSERT_TRUE(answer_all());
  advance(2s);
  expect_same_tables({1, 2, 3});
}

TEST_F(Snapshots, AReceiverThatDiesOnTheWayStartsAgain) {
  leave_behind();
  start_node(behind_);
  int chunks = 0;
  network_.filter = [&](auto, auto, auto, actors::group_frame_kind kind) {
    return kind != actors::group_frame_kind::snapshot_chunk || ++chunks <= 5;
  };
  ASSERT_TRUE(wait_until([&] { return chunks > 5; }));
  crash(behind_);
  network_.filter = nullptr;
  EXPECT_GT(spool_files(), 0U);
  start_node(behind_);
  ASSERT_TRUE(wait_until([&] { return installed(behind_) > 0; }, 60s));
  advance(1s);
  EXPECT_EQ(spool_files(), 0U);
  expect_same_tables({1, 2, 3});
}

TEST_F(Snapshots, ACrashBetweenTablesAndLogIsHealed) {
  leave_behind();
  start_node(behind_);
  auto& victim = node(behind_);
  victim.on_import = [&] { victim.log.stuck = true; };
  ASSERT_TRUE(wait_until([&] { return victim.log.stuck; }));
  const auto recorded = victim.log.recover(core::group_id{1});
  EXPECT_LT(recorded.first.value() + recorded.entries.size(),
            victim.spaces[1]->applied().value())
      << "the log was told";
  crash(behind_);
  victim.on_import = [] {};
  victim.log.stuck = false;
  start_node(behind_);
  ASSERT_TRUE(answer_all());
  post_some(3);
  advance(2s);
  expect_same_tables({1, 2, 3});
}

TEST_F(Snapshots, ALeaderThatDiesOnTheWayIsReplaced) {
  leave_behind();
  start_node(behind_);
  int chunks = 0;
  network_.filter = [&](auto, auto, auto, actors::group_frame_kind kind) {
    return kind != actors::group_frame_kind::snapshot_chunk || ++chunks <= 5;
  };
  ASSERT_TRUE(wait_until([&] { return chunks > 5; }));
  const auto old = leader_of(1);
  crash(old);
  network_.filter = nullptr;
  // The one left has what the other lacks: it leads and sends it.
  ASSERT_TRUE(wait_until([&] { return installed(behind_) > 0; }, 90s));
  start_node(old);
  ASSERT_TRUE(answer_all());
  advance(2s);
  expect_same_tables({1, 2, 3});
}

TEST_F(Snapshots, ADamagedOneIsNotInstalled) {
  leave_behind();
  network_.delay_max = 20ms;
  start_node(behind_);
  // A byte changes on the receiver's disk.
  bool spoiled = false;
  ASSERT_TRUE(wait_until(
      [&] {
        for (const auto& entry : std::filesystem::directory_iterator{
                 node(behind_).folder.path() / "spool"}) {
          if (spoiled || entry.file_size() < 1000)
            continue;
          std::fstream file{entry.path(),
                            std::ios::in | std::ios::out | std::ios::binary};
          file.seekp(500);
          file.put('\x5A');
          spoiled = true;
        }
        return installed(behind_) > 0;
      },
      60s));
  EXPECT_TRUE(spoiled);
  EXPECT_GE(node(behind_).context().stats.snapshots_refused.load(), 1U);
  advance(1s);
  expect_same_tables({1, 2, 3});
}

} // namespace
