// SPDX-License-Identifier: Apache-2.0
#include "app/signals.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <unistd.h>

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

TEST(SignalWatch, TurnsSignalsIntoEvents) {
  signal_watch watch;
  ::raise(SIGTERM);
  EXPECT_EQ(watch.wait(), process_event::stop);
  ::raise(SIGINT);
  EXPECT_EQ(watch.wait(), process_event::stop);
  ::raise(SIGHUP);
  EXPECT_EQ(watch.wait(), process_event::reload);
  EXPECT_EQ(watch.wait(0ms), std::nullopt);
}

TEST(SignalWatch, TakesSignalsThatGoToTheProcess) {
  signal_watch watch;
  ::kill(::getpid(), SIGTERM);
  EXPECT_EQ(watch.wait(), process_event::stop);
}

TEST(SignalWatch, WakesFromAnotherThread) {
  signal_watch watch;
  std::thread other{[&watch] { watch.wake(); }};
  EXPECT_EQ(watch.wait(), process_event::woken);
  other.join();
}

TEST(SignalWatch, CountsManyWakesAsOne) {
  signal_watch watch;
  watch.wake();
  watch.wake();
  EXPECT_EQ(watch.wait(), process_event::woken);
  EXPECT_EQ(watch.wait(0ms), std::nullopt);
}

TEST(SignalWatch, IgnoresBrokenPipes) {
  signal_watch watch;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

TEST(SignalWatch, GivesTheSignalsBack) {
  sigset_t before;
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  { const signal_watch watch; }
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
  EXPECT_EQ(sigismember(&after, SIGTERM), 0);
}

} // namespace
} // namespace troupe::app
