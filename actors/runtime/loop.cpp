// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/loop.hpp"

#include "core/assert.hpp"

#include <boost/asio/post.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <pthread.h>
#include <string>

namespace troupe::actors::runtime {

namespace {

constexpr std::size_t jobs_per_turn = 128;
constexpr std::size_t handlers_per_turn = 256;
constexpr std::size_t timers_per_turn = 256;
// With actors always ready, output waits this many turns at most: batches
// grow under load, yet nobody starves.
constexpr std::uint32_t turns_per_flush = 4;

thread_local loop* current_loop = nullptr;

std::uint64_t nanoseconds_of(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0)
    return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

} // namespace

loop::loop(caf::actor_system& system, std::size_t index, loop_options options)
    : caf::execution_unit(&system), index_(index),
      throughput_max_(options.throughput_max), spin_(options.spin),
      clock_(options.clock), on_error_(std::move(options.on_error)),
      work_guard_(context_.get_executor()), wake_timer_(context_) {
  TROUPE_ASSERT(clock_ != nullptr, "a loop needs a clock");
}

loop::~loop() {
  TROUPE_ASSERT(jobs_.empty() && inbox_jobs_.empty(),
                "a loop died before it was drained");
}

loop* loop::current() noexcept { return current_loop; }

void loop::exec_later(caf::resumable* job) {
  if (current_loop == this) {
    jobs_.push_back(job);
    return;
  }
  bool asleep = false;
  {
    const std::lock_guard lock{mutex_};
    inbox_jobs_.push_back(job);
    inbox_filled_.store(true, std::memory_order_relaxed);
    asleep = std::exchange(sleeping_, false);
  }
  if (asleep)
    wake();
}

void loop::post(task work) {
  if (current_loop == this) {
    tasks_.push_back(std::move(work));
    return;
  }
  bool asleep = false;
  {
    const std::lock_guard lock{mutex_};
    inbox_tasks_.push_back(std::move(work));
    inbox_filled_.store(true, std::memory_order_relaxed);
    asleep = std::exchange(sleeping_, false);
  }
  if (asleep)
    wake();
}

timer_handle loop::call_at(core::steady_time deadline, task callback,
                           std::chrono::milliseconds grain) {
  return timers_.add(deadline, std::move(callback), grain);
}

loop_stats loop::stats() const {
  loop_stats result;
  result.turns = turns_.get();
  result.jobs_run = jobs_run_.get();
  result.jobs_queued = jobs_queued_.get();
  result.tasks_run = tasks_run_.get();
  result.flushes = flushes_.get();
  result.sleeps = sleeps_.get();
  result.timers_fired = timers_fired_.get();
  result.timers_pending = timers_pending_.get();
  result.exceptions = exceptions_.get();
  auto busy = final_busy_nanoseconds_.get();
  auto wall = final_wall_nanoseconds_.get();
  if (running_.load(std::memory_order_acquire)) {
    busy = nanoseconds_of(cpu_clock_.load(std::memory_order_relaxed));
    wall = nanoseconds_of(CLOCK_MONOTONIC) - started_nanoseconds_.get();
  }
  result.busy = std::chrono::nanoseconds{busy};
  result.idle = std::chrono::nanoseconds{wall > busy ? wall - busy : 0};
  return result;
}

// ---------------------------------------------------------------------------

void loop::run() {
  current_loop = this;
  const auto name = "troupe-loop-" + std::to_string(index_);
  pthread_setname_np(pthread_self(), name.c_str());
  clockid_t cpu_clock{};
  pthread_getcpuclockid(pthread_self(), &cpu_clock);
  cpu_clock_.store(cpu_clock, std::memory_order_relaxed);
  started_nanoseconds_.set(nanoseconds_of(CLOCK_MONOTONIC));
  running_.store(true, std::memory_order_release);

  while (!stopping_.load(std::memory_order_acquire))
    turn();

  running_.store(false, std::memory_order_release);
  final_busy_nanoseconds_.set(nanoseconds_of(CLOCK_THREAD_CPUTIME_ID));
  final_wall_nanoseconds_.set(nanoseconds_of(CLOCK_MONOTONIC) -
                              started_nanoseconds_.get());
  current_loop = nullptr;
}

void loop::stop() {
  bool asleep = false;
  {
    const std::lock_guard lock{mutex_};
    stopping_.store(true, std::memory_order_release);
    asleep = std::exchange(sleeping_, false);
  }
  if (asleep)
    wake();
}

bool loop::drain() {
  TROUPE_ASSERT(current_loop == nullptr, "drain() runs off the loops");
  auto found = false;
  for (;;) {
    take_inbox();
    if (jobs_.empty() && tasks_.empty() && dirty_.empty() && timers_.empty())
      return found;
    found = true;
    // Moved out first: what dies here may post or queue again.
    const auto tasks = std::exchange(tasks_, {});
    const auto dirty = std::exchange(dirty_, {});
    const auto timers = std::exchange(timers_, {});
    while (!jobs_.empty()) {
      auto* job = jobs_.front();
      jobs_.pop_front();
      caf::scheduler::abstract_coordinator::cleanup_and_release(job);
    }
  }
}

void loop::abandon_handlers() { context_.destroy_handlers(); }

// ---------------------------------------------------------------------------

void loop::turn() {
  turns_.add();
  take_inbox();
  run_tasks();
  run_jobs();
  const auto more_timers = fire_timers();
  ++turns_since_flush_;
  if (!dirty_.empty() &&
      (jobs_.empty() || turns_since_flush_ >= turns_per_flush))
    flush_dirty();
  arm_wake_up();
  if (jobs_.empty() && tasks_.empty() && dirty_.empty() && !more_timers &&
      !spin_for_work())
    sleep();
  poll();
}

void loop::take_inbox() {
  if (!inbox_filled_.load(std::memory_order_relaxed))
    return;
  const std::lock_guard lock{mutex_};
  jobs_.insert(jobs_.end(), inbox_jobs_.begin(), inbox_jobs_.end());
  inbox_jobs_.clear();
  if (tasks_.empty()) {
    tasks_.swap(inbox_tasks_);
  } else {
    for (auto& work : inbox_tasks_)
      tasks_.push_back(std::move(work));
    inbox_tasks_.clear();
  }
  inbox_filled_.store(false, std::memory_order_relaxed);
  sleeping_ = false;
}

void loop::run_tasks() {
  if (tasks_.empty())
    return;
  running_tasks_.swap(tasks_);
  for (auto& work : running_tasks_)
    guarded("task", [&] { std::exchange(work, task{})(); });
  active_ = true;
  tasks_run_.add(running_tasks_.size());
  running_tasks_.clear();
}

void loop::run_jobs() {
  std::size_t count = 0;
  for (; count < jobs_per_turn && !jobs_.empty(); ++count) {
    auto* job = jobs_.front();
    jobs_.pop_front();
    // A queued job owns one reference: kept when it is queued again.
    switch (job->resume(this, throughput_max_)) {
    case caf::resumable::resume_later:
      jobs_.push_back(job);
      break;
    case caf::resumable::done:
    case caf::resumable::awaiting_message:
      caf::intrusive_ptr_release(job);
      break;
    case caf::resumable::shutdown_execution_unit:
      break; // sent by CAF's own coordinator only
    }
  }
  if (count != 0) {
    active_ = true;
    jobs_run_.add(count);
  }
  jobs_queued_.set(jobs_.size());
}

bool loop::fire_timers() {
  if (timers_.empty()) {
    timers_pending_.set(0);
    return false;
  }
  const auto now = clock_->now();
  for (std::size_t count = 0; count < timers_per_turn; ++count) {
    auto callback = timers_.take_due(now);
    if (!callback)
      break;
    timers_fired_.add();
    guarded("timer", *callback);
  }
  timers_pending_.set(timers_.size());
  return !timers_.empty() && timers_.earliest() <= now;
}

void loop::arm_wake_up() {
  // A wake-up too early is harmless and rare; only an earlier one needs work.
  if (timers_.empty() || timers_.earliest() >= wake_at_)
    return;
  wake_at_ = timers_.earliest();
  // The loop's clock may be a test's; the wait is the machine's.
  const auto wait = wake_at_ - clock_->now();
  constexpr std::chrono::steady_clock::duration longest = std::chrono::hours{1};
  wake_timer_.expires_after(std::min(wait, longest));
  wake_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error)
      wake_at_ = core::steady_time::max();
  });
}

void loop::flush_dirty() {
  turns_since_flush_ = 0;
  flushing_.swap(dirty_);
  for (auto& target : flushing_) {
    target->dirty_ = false;
    guarded("flush", [&] { target->flush(); });
    target.reset();
  }
  flushes_.add(flushing_.size());
  flushing_.clear();
}

bool loop::spin_for_work() {
  if (spin_.count() == 0)
    return false;
  if (std::exchange(active_, false))
    last_activity_ = std::chrono::steady_clock::now();
  const auto until = last_activity_ + spin_;
  while (std::chrono::steady_clock::now() < until) {
    auto handled = false;
    guarded("I/O handler", [&] {
      handled = true; // also if the handler throws
      handled = context_.poll_one() != 0;
    });
    active_ = handled;
    if (handled || inbox_filled_.load(std::memory_order_relaxed) ||
        stopping_.load(std::memory_order_relaxed))
      return true;
  }
  return false;
}

void loop::sleep() {
  {
    const std::lock_guard lock{mutex_};
    if (inbox_filled_.load(std::memory_order_relaxed) ||
        stopping_.load(std::memory_order_relaxed))
      return;
    sleeping_ = true;
  }
  sleeps_.add();
  guarded("I/O handler", [this] { context_.run_one(); });
  active_ = true;
}

void loop::poll() {
  for (std::size_t count = 0; count < handlers_per_turn; ++count) {
    auto handled = false;
    guarded("I/O handler", [&] {
      handled = true; // also if the handler throws
      handled = context_.poll_one() != 0;
    });
    if (!handled)
      return;
    active_ = true;
  }
}

void loop::wake() {
  boost::asio::post(context(), [] {});
}

template <class Function>
void loop::guarded(std::string_view place, Function&& function) {
  const auto report = [&](std::string_view what) {
    exceptions_.add();
    if (on_error_)
      on_error_("troupe-loop-" + std::to_string(index_) + ", " +
                    std::string{place},
                what);
  };
  try {
    function();
  } catch (const std::bad_alloc&) {
    std::terminate();
  } catch (const std::exception& e) {
    report(e.what());
  } catch (...) {
    report("an exception of unknown type");
  }
}

} // namespace troupe::actors::runtime
