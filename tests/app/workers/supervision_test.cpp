// SPDX-License-Identifier: Apache-2.0
#include "app/workers/supervision.hpp"

#include <gtest/gtest.h>

namespace troupe::app::workers {
namespace {

using namespace std::chrono_literals;
using order = supervision::order;

/// One worker with a time of its own.
class Supervision : public testing::Test {
protected:
  order pass(core::milliseconds time) {
    now_ += time;
    return policy_.on_time(now_);
  }
  /// Starts a process that is to be started now.
  void start() {
    ASSERT_EQ(policy_.on_time(now_), order::spawn);
    policy_.on_spawned(now_);
    EXPECT_EQ(policy_.state(), worker_state::starting);
  }
  void serve() {
    start();
    policy_.on_ready(now_);
    EXPECT_EQ(policy_.state(), worker_state::up);
  }
  /// How long after an end the next start is due.
  core::milliseconds pause() const {
    return std::chrono::ceil<core::milliseconds>(*policy_.deadline() - now_);
  }
  void exit_after(core::milliseconds life) {
    now_ += life;
    policy_.on_exit(now_);
  }

  core::steady_time now_{1h};
  supervision policy_{{}};
};

TEST_F(Supervision, BeginsAtOnce) {
  serve();
  EXPECT_FALSE(policy_.deadline());
  EXPECT_EQ(policy_.restarts(), 0U);
}

TEST_F(Supervision, ReplacesAtOnceWhoHasLived) {
  serve();
  for (int i = 0; i < 100; ++i) {
    exit_after(2s);
    EXPECT_EQ(pause(), 0ms);
    serve();
  }
  EXPECT_EQ(policy_.restarts(), 100U);
}

TEST_F(Supervision, PausesDoubleWithEachShortLifeUpToABound) {
  serve();
  std::vector<core::milliseconds> pauses;
  for (int i = 0; i < 14; ++i) {
    exit_after(10ms);
    pauses.push_back(pause());
    if (pauses.back() > 0ms) {
      EXPECT_EQ(policy_.state(), worker_state::backing_off);
      EXPECT_EQ(policy_.on_time(now_), order::nothing);
      EXPECT_EQ(pass(pauses.back() - 1ms), order::nothing);
      now_ += 1ms;
    }
    serve();
  }
  EXPECT_EQ(pauses, (std::vector<core::milliseconds>{
                        0ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms,
                        12800ms, 25600ms, 30s, 30s, 30s, 30s}));
}

// What an operator, or a test, may do to it without being made to wait.
TEST_F(Supervision, FiveShortLivesInARowAreReplacedWithinASecond) {
  serve();
  for (int i = 0; i < 5; ++i) {
    exit_after(100ms);
    EXPECT_LT(pause(), 1s);
    now_ += pause();
    serve();
  }
}

TEST_F(Supervision, ALifeEndsTheBackOff) {
  serve();
  for (int i = 0; i < 6; ++i) {
    exit_after(1ms);
    now_ += pause();
    serve();
  }
  exit_after(2s);
  EXPECT_EQ(pause(), 0ms);
  EXPECT_EQ(policy_.short_lives(), 0U);
}

TEST_F(Supervision, ALifeBeforeTheFirstWordCountsForNothing) {
  start();
  exit_after(15s); // starts for ever and ends
  now_ += pause();
  start();
  exit_after(15s);
  EXPECT_EQ(pause(), 100ms);
}

TEST_F(Supervision, AProcessThatHangsIsKilledOnceAndReplacedWhenItIsGone) {
  serve();
  now_ += 1min;
  EXPECT_EQ(policy_.on_lost(now_), order::kill);
  EXPECT_EQ(policy_.state(), worker_state::ending);
  EXPECT_EQ(policy_.on_lost(now_), order::nothing);
  EXPECT_EQ(policy_.on_time(now_), order::nothing);
  exit_after(1ms);
  EXPECT_EQ(pause(), 0ms);
  serve();
}

TEST_F(Supervision, WhoHasClosedItsLineMayEndByItself) {
  serve();
  policy_.on_closed(now_);
  EXPECT_EQ(policy_.state(), worker_state::ending);
  EXPECT_EQ(pass(299ms), order::nothing);
  EXPECT_EQ(pass(1ms), order::kill);
}

TEST_F(Supervision, AKillThatDoesNotHelpIsRepeated) {
  serve();
  EXPECT_EQ(policy_.on_lost(now_), order::kill);
  EXPECT_EQ(pass(999ms), order::nothing);
  EXPECT_EQ(pass(1ms), order::kill);
  EXPECT_EQ(pass(1ms), order::nothing);
}

TEST_F(Supervision, AStartThatTakesTooLongIsKilled) {
  start();
  EXPECT_EQ(pass(19'999ms), order::nothing);
  EXPECT_EQ(pass(1ms), order::kill);
  exit_after(0ms);
  EXPECT_EQ(pause(), 0ms);
}

TEST_F(Supervision, AMachineThatCanNotStartProcessesIsNotAskedAtOnce) {
  ASSERT_EQ(policy_.on_time(now_), order::spawn);
  policy_.on_spawn_failed(now_);
  EXPECT_EQ(pause(), 100ms);
  EXPECT_EQ(pass(100ms), order::spawn);
  policy_.on_spawn_failed(now_);
  EXPECT_EQ(pause(), 200ms);
  EXPECT_EQ(policy_.restarts(), 0U);
}

TEST_F(Supervision, NobodyIsReplacedAtTheEnd) {
  serve();
  policy_.on_end(now_);
  EXPECT_EQ(policy_.state(), worker_state::ending);
  EXPECT_EQ(pass(999ms), order::nothing);
  EXPECT_EQ(pass(1ms), order::kill);
  policy_.on_exit(now_);
  EXPECT_EQ(policy_.state(), worker_state::ended);
  EXPECT_FALSE(policy_.deadline());
  EXPECT_EQ(pass(1h), order::nothing);
}

TEST_F(Supervision, TheEndComesAtOnceWhereThereIsNoProcess) {
  policy_.on_end(now_);
  EXPECT_EQ(policy_.state(), worker_state::ended);
}

TEST_F(Supervision, AStartThatWasUnderWayAtTheEndIsUndone) {
  ASSERT_EQ(policy_.on_time(now_), order::spawn);
  policy_.on_end(now_);
  policy_.on_spawned(now_);
  EXPECT_EQ(policy_.on_time(now_), order::kill);
  policy_.on_ready(now_);
  EXPECT_EQ(policy_.state(), worker_state::ending);
  policy_.on_exit(now_);
  EXPECT_EQ(policy_.state(), worker_state::ended);
}

} // namespace
} // namespace troupe::app::workers
