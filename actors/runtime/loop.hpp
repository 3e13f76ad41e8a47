// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/task.hpp"
#include "actors/runtime/timer_queue.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <caf/execution_unit.hpp>
#include <caf/fwd.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::actors::runtime {

struct loop_options {
  /// Messages an actor may handle before the loop turns to others.
  std::size_t throughput_max = 100;
  /// How long to poll after the last activity before sleeping in the kernel.
  /// Trades CPU for the wake-up latency of a busy loop; an idle loop sleeps
  /// either way.
  std::chrono::microseconds spin{0};
  /// Not owned; outlives the loop.
  const core::clock* clock = nullptr;
  error_hook on_error{};
};

/// What a loop has done so far, for metrics. A moment's view, no snapshot.
struct loop_stats {
  std::uint64_t turns = 0;
  std::uint64_t jobs_run = 0;    ///< slices of actors
  std::uint64_t jobs_queued = 0; ///< actors ready to run now
  std::uint64_t tasks_run = 0;   ///< functions given to post()
  std::uint64_t flushes = 0;
  std::uint64_t sleeps = 0; ///< times it waited in the kernel
  std::uint64_t timers_fired = 0;
  std::uint64_t timers_pending = 0;
  std::uint64_t exceptions = 0;     ///< reported to the error hook
  std::chrono::nanoseconds busy{0}; ///< CPU time of the thread
  std::chrono::nanoseconds idle{0}; ///< wall time less CPU time
};

/// One thread with one io_context, which runs sockets and actors in turns:
///
///   inbox of other threads → posted tasks → ≤ 128 actors → due timers →
///   flush → sockets
///
/// An actor whose home is this loop and a connection whose socket belongs to
/// context() never run at the same time: completion handlers may touch the
/// state of such actors and send for them.
///
/// Owned by the scheduler of an actor system, from before the first actor to
/// after the last. Unless said otherwise a member may only be called on the
/// loop's own thread. Nothing on a loop may block.
///
/// An exception that leaves an I/O handler, task, timer or flush is reported
/// and ends that one piece of work: a connection whose handler threw has no
/// operation pending any more and dies with its last reference, all others go
/// on. std::bad_alloc ends the process.
class loop final : public caf::execution_unit {
public:
  /// Something to be done once at the end of a turn, however often it was
  /// asked for: a connection writes all that was appended to its output.
  class flushable {
  public:
    virtual ~flushable() = default;

  private:
    friend class loop;
    /// On the loop's thread. May mark itself or others dirty again: they are
    /// flushed in the next turn, before the loop sleeps.
    virtual void flush() = 0;

    bool dirty_ = false;
  };

  loop(caf::actor_system& system, std::size_t index, loop_options options);
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  ~loop() override;

  /// The loop whose thread this is, null elsewhere.
  [[nodiscard]] static loop* current() noexcept;

  /// 0 … loops - 1. Any thread.
  [[nodiscard]] std::size_t index() const noexcept { return index_; }
  /// For sockets and acceptors of this loop; with one of these in hand,
  /// boost::asio::post() works from any thread, though post() is cheaper.
  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
  /// Any thread.
  [[nodiscard]] const core::clock& clock() const noexcept { return *clock_; }

  /// Queues an actor, which brings one reference of itself. Any thread.
  void exec_later(caf::resumable* job) override;

  /// Runs `work` in a turn of its own, never inside the call. Tasks of one
  /// thread run in the order in which it posted them. Those still waiting
  /// when the loop stops are destroyed unrun. Any thread.
  void post(task work);

  /// Has `target->flush()` called at the end of the turn. Free if it is dirty
  /// already.
  void mark_dirty(std::shared_ptr<flushable> target) {
    if (!std::exchange(target->dirty_, true))
      dirty_.push_back(std::move(target));
  }

  /// Calls `callback` at `deadline` of clock() or up to `grain` later; a fine
  /// grain costs wake-ups.
  timer_handle
  call_at(core::steady_time deadline, task callback,
          std::chrono::milliseconds grain = timer_queue::default_grain);
  /// The same, unless `target` is gone by then: `function(*target)`.
  template <class Target, class Function>
  timer_handle call_at(core::steady_time deadline, std::weak_ptr<Target> target,
                       Function function) {
    return call_at(deadline, [target = std::move(target),
                              function = std::move(function)]() mutable {
      if (const auto alive = target.lock())
        function(*alive);
    });
  }
  /// False if it has fired or was cancelled before.
  bool cancel(timer_handle handle) { return timers_.cancel(handle); }

  /// Any thread.
  [[nodiscard]] loop_stats stats() const;

private:
  friend class scheduler;

  /// Written by the loop's thread alone, so an increment needs no lock prefix.
  class counter {
  public:
    void add(std::uint64_t n = 1) noexcept { set(get() + n); }
    void set(std::uint64_t n) noexcept {
      value_.store(n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get() const noexcept {
      return value_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> value_{0};
  };

  // For the scheduler.
  void run();
  /// Any thread: run() returns after the current turn.
  void stop();
  /// After run() has returned: releases what is still queued; true if there
  /// was something. Releasing may queue more, here or on other loops.
  bool drain();
  /// The last step: destroys all I/O handlers that never ran.
  void abandon_handlers();

  void turn();
  void take_inbox();
  void run_tasks();
  void run_jobs();
  /// True if more are due than one turn may fire.
  bool fire_timers();
  void arm_wake_up();
  void flush_dirty();
  /// True if there is something to do again.
  bool spin_for_work();
  void sleep();
  void poll();
  void wake();
  template <class Function>
  void guarded(std::string_view place, Function&& function);

  // execution_context::shutdown() destroys the handlers but keeps services
  // alive, which sockets still need in their destructors.
  struct owned_context : boost::asio::io_context {
    using boost::asio::io_context::io_context;
    void destroy_handlers() { shutdown(); }
  };

  const std::size_t index_;
  const std::size_t throughput_max_;
  const std::chrono::microseconds spin_;
  const core::clock* const clock_;
  const error_hook on_error_;

  owned_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
      work_guard_;
  boost::asio::steady_timer wake_timer_;
  core::steady_time wake_at_ = core::steady_time::max(); // max: not armed

  std::deque<caf::resumable*> jobs_;
  std::vector<task> tasks_;
  std::vector<task> running_tasks_;
  std::vector<std::shared_ptr<flushable>> dirty_;
  std::vector<std::shared_ptr<flushable>> flushing_;
  timer_queue timers_;
  std::uint32_t turns_since_flush_ = 0;
  bool active_ = false; // something ran since the last look at the time
  std::chrono::steady_clock::time_point last_activity_{};

  // From other threads.
  alignas(64) std::mutex mutex_;
  std::vector<caf::resumable*> inbox_jobs_; // guarded by mutex_
  std::vector<task> inbox_tasks_;           // guarded by mutex_
  bool sleeping_ = false;                   // guarded by mutex_
  std::atomic<bool> inbox_filled_{false};
  std::atomic<bool> stopping_{false};

  // To other threads.
  alignas(64) counter turns_;
  counter jobs_run_;
  counter jobs_queued_;
  counter tasks_run_;
  counter flushes_;
  counter sleeps_;
  counter timers_fired_;
  counter timers_pending_;
  counter exceptions_;
  counter started_nanoseconds_;
  counter final_busy_nanoseconds_;
  counter final_wall_nanoseconds_;
  std::atomic<clockid_t> cpu_clock_{}; // of the thread
  std::atomic<bool> running_{false};   // cpu_clock_ is valid
};

} // namespace troupe::actors::runtime
