// SPDX-License-Identifier: Apache-2.0
#include "actors/replica.hpp"
#include "schema/command_wire.hpp"
#include "tests/support/instant_log.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_state_space.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::actors {
namespace {

/// Keeps the times of what is applied.
struct witness final : replica_host {
  void apply(const cluster::committed_entry& command) override {
    const auto prefix = schema::decode_prefix(command.data.view());
    ASSERT_TRUE(prefix);
    times.push_back(prefix->time);
  }
  void send(core::node_id, const cluster::message&) override {}
  void on_read(const cluster::read_answer&) override {}
  void send_snapshot(const cluster::snapshot_send&) override {}
  void install(const cluster::snapshot_meta&) override {}
  void on_leadership() override {}
  void on_commit_time(std::chrono::nanoseconds) override {}

  std::vector<core::timestamp> times;
};

/// One node of one group that is started again and again on the same log.
class Replica : public testing::Test {
protected:
  static constexpr core::group_id group{1};

  void start() {
    cluster::configuration alone;
    alone.voters.emplace_back(1);
    replica_deps deps;
    deps.group = group;
    deps.self = core::node_id{1};
    deps.founding = alone;
    deps.clock = &clock_;
    deps.log = &log_;
    deps.space = &space_;
    deps.recovered = log_.recover(group);
    deps.seed = 1;
    replica_.emplace(std::move(deps), host_);
    log_.on_durable = [this](core::group_id, std::uint64_t write) {
      replica_->persisted(write);
    };
    replica_->start();
  }
  void stop() {
    replica_.reset();
    log_.crash();
    space_.lose_uncommitted();
  }
  void flush() {
    while (log_.flush() > 0) {
    }
  }
  void propose() {
    ASSERT_TRUE(replica_->propose(schema::encode(
        core::logged_shard_command{{}, {}, core::sweep_expired{}})));
    replica_->pump();
  }

  test_support::manual_clock clock_;
  test_support::instant_log log_;
  test::memory_state_space space_;
  witness host_;
  std::optional<replica> replica_;
};

TEST_F(Replica, TimesAscendThoughTheClockIsSetBack) {
  start();
  flush();
  propose();
  clock_.jump(-std::chrono::hours{1});
  propose();
  flush();
  ASSERT_EQ(host_.times.size(), 2U);
  EXPECT_GE(host_.times[1], host_.times[0]);
}

/// What the new leader has in its log, but has not applied, comes before what
/// it proposes. Found by the simulated broker.
TEST_F(Replica, TimesAscendOverWhatANewLeaderHasNotAppliedYet) {
  start();
  flush();
  clock_.jump(std::chrono::hours{1});
  propose();
  flush();
  ASSERT_EQ(host_.times.size(), 1U);
  stop(); // the tables were not on disk yet
  host_.times.clear();
  clock_.jump(-std::chrono::hours{1});
  start();
  ASSERT_TRUE(replica_->leads());
  ASSERT_TRUE(host_.times.empty());
  propose();
  flush();
  ASSERT_EQ(host_.times.size(), 2U);
  EXPECT_GE(host_.times[1], host_.times[0]);
}

} // namespace
} // namespace troupe::actors
