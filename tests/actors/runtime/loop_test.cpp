// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/loop.hpp"
#include "actors/runtime/scheduler.hpp"
#include "tests/support/manual_clock.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace troupe::actors::runtime {
namespace {

using std::chrono::milliseconds;

class Loop : public testing::Test {
protected:
  Loop() : config_(options()), system_(config_) {}

  loop& at(std::size_t i) { return scheduler::of(system_).at(i); }

  /// Runs on a loop and waits for the result.
  template <class Function>
  auto on(std::size_t i, Function function) {
    std::packaged_task<std::invoke_result_t<Function>()> job{
        std::move(function)};
    auto result = job.get_future();
    at(i).post(std::move(job));
    return result.get();
  }
  /// A turn of its own begins after all before has ended.
  void settle(std::size_t i) {
    for (int turn = 0; turn < 3; ++turn)
      on(i, [] { return 0; });
  }
  std::vector<std::string> reports() {
    const std::lock_guard lock{mutex_};
    return reports_;
  }

  test_support::manual_clock clock_;

private:
  runtime_options options() {
    runtime_options result;
    result.loops = 2;
    result.clock = &clock_;
    result.on_error = [this](std::string_view where, std::string_view what) {
      const std::lock_guard lock{mutex_};
      reports_.push_back(std::string{where} + ": " + std::string{what});
    };
    return result;
  }
  std::mutex mutex_;
  std::vector<std::string> reports_;
  runtime_config config_;
  caf::actor_system system_;
};

struct counting_flushable final : loop::flushable {
  std::function<void()> on_flush;
  int flushes = 0;

private:
  void flush() override {
    ++flushes;
    if (on_flush)
      on_flush();
  }
};

TEST_F(Loop, KnowsItsOwnThread) {
  EXPECT_EQ(loop::current(), nullptr);
  EXPECT_EQ(on(0, [] { return loop::current(); }), &at(0));
  EXPECT_EQ(on(1, [] { return loop::current(); }), &at(1));
  EXPECT_EQ(at(1).index(), 1U);
  EXPECT_EQ(on(1,
               [] {
                 char name[16] = {};
                 pthread_getname_np(pthread_self(), name, sizeof name);
                 return std::string{name};
               }),
            "troupe-loop-1");
}

TEST_F(Loop, RunsTasksOfOneThreadInOrder) {
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i)
    at(0).post([&order, i] { order.push_back(i); });
  settle(0);
  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(Loop, TaskPostedInsideRunsLaterNotInside) {
  std::vector<int> order;
  on(0, [&] {
    at(0).post([&] { order.push_back(2); });
    order.push_back(1);
    return 0;
  });
  settle(0);
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST_F(Loop, WakesTheOtherLoop) {
  std::promise<int> done;
  constexpr int rounds = 1000;
  std::function<void(int)> pass = [&](int n) {
    if (n == rounds)
      done.set_value(n);
    else
      at(static_cast<std::size_t>(n % 2)).post([&, n] { pass(n + 1); });
  };
  pass(0);
  EXPECT_EQ(done.get_future().get(), rounds);
}

TEST_F(Loop, FlushesADirtyObjectOnceATurn) {
  const auto target = std::make_shared<counting_flushable>();
  on(0, [&] {
    for (int i = 0; i < 100; ++i)
      at(0).mark_dirty(target);
    EXPECT_EQ(target->flushes, 0);
    return 0;
  });
  settle(0);
  EXPECT_EQ(target->flushes, 1);
  EXPECT_EQ(target.use_count(), 1);
  on(0, [&] {
    at(0).mark_dirty(target);
    return 0;
  });
  settle(0);
  EXPECT_EQ(target->flushes, 2);
  EXPECT_EQ(at(0).stats().flushes, 2U);
}

TEST_F(Loop, FlushMayMarkAgainAndTheLoopDoesNotSleepOnIt) {
  const auto target = std::make_shared<counting_flushable>();
  std::promise<void> third;
  target->on_flush = [&] {
    if (target->flushes < 3)
      loop::current()->mark_dirty(target);
    else
      third.set_value();
  };
  at(0).post([&] { at(0).mark_dirty(target); });
  third.get_future().wait();
  settle(0);
  EXPECT_EQ(target->flushes, 3);
}

TEST_F(Loop, TimersFollowTheClockOfTheLoop) {
  std::vector<int> fired;
  on(0, [&] {
    const auto now = clock_.now();
    at(0).call_at(now + milliseconds{200}, [&] { fired.push_back(2); });
    at(0).call_at(now + milliseconds{100}, [&] { fired.push_back(1); });
    return 0;
  });
  settle(0);
  EXPECT_TRUE(fired.empty());
  clock_.advance(milliseconds{150});
  settle(0);
  EXPECT_EQ(fired, std::vector{1});
  EXPECT_EQ(at(0).stats().timers_pending, 1U);
  clock_.advance(milliseconds{150});
  settle(0);
  EXPECT_EQ(fired, (std::vector{1, 2}));
  EXPECT_EQ(at(0).stats().timers_fired, 2U);
}

TEST_F(Loop, TimerOfADeadTargetIsSilent) {
  auto called = 0;
  auto target = std::make_shared<int>(7);
  on(0, [&] {
    const auto count = [&](int& value) { called += value; };
    at(0).call_at(clock_.now(), std::weak_ptr{target}, count);
    const auto cancelled =
        at(0).call_at(clock_.now(), std::weak_ptr{target}, count);
    EXPECT_TRUE(at(0).cancel(cancelled));
    at(0).call_at(clock_.now() + milliseconds{100}, std::weak_ptr{target},
                  count);
    return 0;
  });
  clock_.advance(milliseconds{50});
  settle(0);
  EXPECT_EQ(called, 7);
  target.reset();
  clock_.advance(milliseconds{500});
  settle(0);
  EXPECT_EQ(called, 7);
}

TEST_F(Loop, ExceptionEndsOnePieceOfWorkOnly) {
  const auto target = std::make_shared<counting_flushable>();
  target->on_flush = [] { throw std::runtime_error{"flush broke"}; };
  auto after = 0;
  at(0).post([] { throw std::runtime_error{"task broke"}; });
  at(0).post([&] { ++after; });
  at(0).post([&] {
    at(0).mark_dirty(target);
    at(0).call_at(clock_.now() - milliseconds{25},
                  [] { throw 42; }); // NOLINT: anything can be thrown
    boost::asio::post(at(0).context(),
                      [] { throw std::logic_error{"handler broke"}; });
    boost::asio::post(at(0).context(), [&] { ++after; });
  });
  settle(0);
  settle(0);
  EXPECT_EQ(after, 2);
  EXPECT_EQ(at(0).stats().exceptions, 4U);
  const auto told = reports();
  const auto has = [&](const char* text) {
    return std::find(told.begin(), told.end(), text) != told.end();
  };
  EXPECT_TRUE(has("troupe-loop-0, task: task broke"));
  EXPECT_TRUE(has("troupe-loop-0, flush: flush broke"));
  EXPECT_TRUE(has("troupe-loop-0, timer: an exception of unknown type"));
  EXPECT_TRUE(has("troupe-loop-0, I/O handler: handler broke"));
}

TEST_F(Loop, RunsSocketHandlersOnItsThread) {
  namespace asio = boost::asio;
  using tcp = asio::ip::tcp;
  std::promise<std::pair<loop*, std::size_t>> seen;
  tcp::acceptor acceptor{at(0).context(),
                         {asio::ip::address_v4::loopback(), 0}};
  tcp::socket accepted{at(1).context()};
  char buffer[8];
  acceptor.async_accept(accepted, [&](const boost::system::error_code& error) {
    ASSERT_FALSE(error);
    EXPECT_EQ(loop::current(), &at(0));
    at(1).post([&] {
      accepted.async_read_some(
          asio::buffer(buffer),
          [&](const boost::system::error_code&, std::size_t n) {
            seen.set_value({loop::current(), n});
          });
    });
  });
  asio::io_context own;
  tcp::socket client{own};
  client.connect(acceptor.local_endpoint());
  asio::write(client, asio::buffer("hello", 5));
  const auto [where, count] = seen.get_future().get();
  EXPECT_EQ(where, &at(1));
  EXPECT_EQ(count, 5U);
}

TEST_F(Loop, AccountsForItsTime) {
  on(0, [] {
    const auto end = std::chrono::steady_clock::now() + milliseconds{2};
    while (std::chrono::steady_clock::now() < end) {
    }
    return 0;
  });
  settle(0);
  const auto stats = at(0).stats();
  EXPECT_GT(stats.busy.count(), 0);
  EXPECT_GE(stats.idle.count(), 0);
  EXPECT_GT(stats.turns, 0U);
  EXPECT_GE(stats.tasks_run, 1U);
}

TEST(LoopLifetime, DestroysWhatNeverRan) {
  const auto held = std::make_shared<int>(1);
  {
    runtime_options options;
    options.loops = 2;
    runtime_config config{options};
    caf::actor_system system{config};
    auto& one = scheduler::of(system).at(1);
    std::promise<void> ready;
    one.post([&] {
      one.call_at(one.clock().now() + std::chrono::hours{1}, [held] {});
      const auto socket = std::make_shared<boost::asio::ip::tcp::acceptor>(
          one.context(), boost::asio::ip::tcp::endpoint{
                             boost::asio::ip::address_v4::loopback(), 0});
      socket->async_accept(
          [held, socket](const boost::system::error_code&,
                         const boost::asio::ip::tcp::socket&) {});
      ready.set_value();
    });
    ready.get_future().wait();
    EXPECT_EQ(held.use_count(), 3);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(LoopLifetime, SpinningLoopWorksAndStops) {
  runtime_options options;
  options.loops = 2;
  options.spin = std::chrono::microseconds{20};
  runtime_config config{options};
  caf::actor_system system{config};
  for (int i = 0; i < 200; ++i) {
    std::promise<void> done;
    auto& there = scheduler::of(system).at(static_cast<std::size_t>(i % 2));
    there.post([&] { done.set_value(); });
    done.get_future().wait();
  }
}

} // namespace
} // namespace troupe::actors::runtime
