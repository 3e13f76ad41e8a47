// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/timer_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace troupe::actors::runtime {
namespace {

using std::chrono::milliseconds;

core::steady_time at(int ms) { return core::steady_time{milliseconds{ms}}; }

class TimerQueue : public testing::Test {
protected:
  std::vector<int> fire(int now) {
    fired.clear();
    while (auto callback = queue.take_due(at(now)))
      (*callback)();
    return fired;
  }
  timer_handle add(int due, int name) {
    return queue.add(at(due), [this, name] { fired.push_back(name); });
  }
  timer_queue queue;
  std::vector<int> fired;
};

TEST_F(TimerQueue, FiresInOrderOfDeadline) {
  add(300, 3);
  add(100, 1);
  add(200, 2);
  EXPECT_EQ(fire(250), (std::vector{1, 2}));
  EXPECT_EQ(fire(300), std::vector{3});
  EXPECT_TRUE(queue.empty());
}

TEST_F(TimerQueue, EqualDeadlinesFireInOrderOfAdding) {
  for (int i = 0; i < 20; ++i)
    add(100, i);
  const auto order = fire(100);
  ASSERT_EQ(order.size(), 20U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(TimerQueue, NeverFiresEarlyAndAtMostOneGranuleLate) {
  add(101, 1);
  EXPECT_TRUE(fire(101 - 1).empty());
  EXPECT_TRUE(fire(124).empty());
  EXPECT_EQ(fire(125), std::vector{1});
}

TEST_F(TimerQueue, CancelledTimerDoesNotFire) {
  const auto first = add(100, 1);
  add(100, 2);
  EXPECT_TRUE(queue.cancel(first));
  EXPECT_FALSE(queue.cancel(first));
  EXPECT_EQ(fire(100), std::vector{2});
}

TEST_F(TimerQueue, OldHandleDoesNotReachTheNextUserOfItsSlot) {
  const auto old = add(100, 1);
  fire(100);
  add(200, 2);
  EXPECT_FALSE(queue.cancel(old));
  EXPECT_FALSE(queue.cancel(timer_handle{}));
  EXPECT_EQ(fire(200), std::vector{2});
}

TEST_F(TimerQueue, CancellingFreesWhatTheCallbackHeld) {
  auto held = std::make_shared<int>(1);
  const auto handle = queue.add(at(100), [held] {});
  EXPECT_EQ(held.use_count(), 2);
  queue.cancel(handle);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_TRUE(queue.empty());
}

TEST_F(TimerQueue, CallbackMayAddAndCancel) {
  const auto victim = add(200, 7);
  queue.add(at(100), [&] {
    queue.cancel(victim);
    add(100, 8);
  });
  EXPECT_EQ(fire(100), std::vector{8});
  EXPECT_TRUE(queue.empty());
}

TEST_F(TimerQueue, DeadlineAtTheEndOfTimeNeverFires) {
  queue.add(core::steady_time::max(), [this] { fired.push_back(1); });
  EXPECT_TRUE(fire(1'000'000).empty());
  EXPECT_EQ(queue.size(), 1U);
}

TEST_F(TimerQueue, AgreesWithASortedListUnderRandomUse) {
  std::mt19937 random{7}; // NOLINT: the same sequence in every run
  std::vector<std::pair<int, timer_handle>> pending; // deadline, handle
  auto now = 0;
  for (auto step = 0; step < 5000; ++step) {
    const auto choice = random() % 10;
    if (choice < 6) {
      const auto due = now + static_cast<int>(random() % 40 + 1) * 25;
      pending.emplace_back(due, add(due, due));
    } else if (choice < 8 && !pending.empty()) {
      const auto victim = random() % pending.size();
      EXPECT_TRUE(queue.cancel(pending[victim].second));
      pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(victim));
    } else {
      now += 50;
      std::vector<int> expected;
      std::erase_if(pending, [&](const auto& each) {
        if (each.first > now)
          return false;
        expected.push_back(each.first);
        return true;
      });
      std::sort(expected.begin(), expected.end());
      ASSERT_EQ(fire(now), expected);
    }
    ASSERT_EQ(queue.size(), pending.size());
  }
}

} // namespace
} // namespace troupe::actors::runtime
