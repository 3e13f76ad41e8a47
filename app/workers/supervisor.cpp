// SPDX-License-Identifier: Apache-2.0
#include "app/workers/supervisor.hpp"

#include <algorithm>
#include <csignal>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace troupe::app::workers {
namespace {

// Without descriptors of processes their ends are looked for.
constexpr core::milliseconds look_interval{100};
constexpr core::milliseconds idle_interval{10'000};

std::string after(core::milliseconds pause) {
  return pause.count() <= 0 ? "at once"
                            : "in " + std::to_string(pause.count()) + " ms";
}

} // namespace

supervisor::supervisor(parts what)
    : parts_(std::move(what)),
      wakes_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (std::uint32_t i = 0; i < parts_.workers; ++i)
    slots_.push_back(slot{supervision{{}}});
}

void supervisor::start() {
  thread_ = std::thread{[this] { run(); }};
}

supervisor::~supervisor() {
  if (!thread_.joinable())
    return;
  end(core::milliseconds{0});
  wait_until_ended(core::milliseconds{5'000});
  {
    const std::lock_guard lock{mutex_};
    over_ = true;
  }
  wake();
  thread_.join();
}

void supervisor::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wakes_.get(), &one, sizeof one);
}

void supervisor::ready(std::uint32_t worker, std::uint64_t life) {
  const std::lock_guard lock{mutex_};
  auto& at = slots_[worker];
  if (at.life == life)
    at.policy.on_ready(clock_.now());
  changed_.notify_all();
}

void supervisor::closed(std::uint32_t worker, std::uint64_t life) {
  {
    const std::lock_guard lock{mutex_};
    auto& at = slots_[worker];
    if (at.life == life)
      at.policy.on_closed(clock_.now());
  }
  wake();
}

void supervisor::lost(std::uint32_t worker, std::uint64_t life,
                      std::string why) {
  const std::lock_guard lock{mutex_};
  auto& at = slots_[worker];
  if (at.life != life || at.running.pid == 0)
    return;
  if (at.why.empty())
    at.why = std::move(why);
  carry_out(worker, at.policy.on_lost(clock_.now()));
  wake();
}

void supervisor::end(core::milliseconds patience) {
  {
    const std::lock_guard lock{mutex_};
    for (auto& at : slots_)
      at.policy.on_end(clock_.now() + patience);
  }
  wake();
}

bool supervisor::wait_until_ended(core::milliseconds patience) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, patience, [&] {
    return std::all_of(slots_.begin(), slots_.end(), [](const auto& at) {
      return at.policy.state() == worker_state::ended;
    });
  });
}

std::vector<process_view> supervisor::views() const {
  const std::lock_guard lock{mutex_};
  const auto now = clock_.now();
  std::vector<process_view> all;
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    const auto& at = slots_[i];
    process_view view;
    view.worker = i;
    view.pid = at.running.pid;
    view.state = at.policy.state();
    view.started = at.started;
    view.restarts = at.policy.restarts();
    if (view.state == worker_state::backing_off)
      view.retry_in = std::chrono::ceil<core::milliseconds>(
          std::max(*at.policy.deadline() - now, core::steady_time::duration{}));
    view.last_end = at.last_end;
    all.push_back(std::move(view));
  }
  return all;
}

std::size_t supervisor::up() const {
  const std::lock_guard lock{mutex_};
  return static_cast<std::size_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const auto& at) {
        return at.policy.state() == worker_state::up;
      }));
}

// ------------------------------------------------------------ on its thread

int supervisor::wait_time() const {
  auto time = idle_interval;
  const auto now = clock_.now();
  for (const auto& at : slots_) {
    if (at.running.pid != 0 && !at.running.ended)
      time = std::min(time, look_interval);
    if (const auto due = at.policy.deadline())
      time = std::min(time, std::chrono::ceil<core::milliseconds>(*due - now));
  }
  return static_cast<int>(std::max(time.count(), std::int64_t{0}));
}

void supervisor::run() {
  pthread_setname_np(pthread_self(), "troupe-workers");
  for (;;) {
    std::vector<pollfd> watched{{wakes_.get(), POLLIN, 0}};
    int time = 0;
    {
      const std::lock_guard lock{mutex_};
      if (over_)
        return;
      for (std::uint32_t i = 0; i < slots_.size(); ++i) {
        take_exit(i);
        take_time(i);
      }
      for (const auto& at : slots_)
        if (at.running.ended)
          watched.push_back({at.running.ended.get(), POLLIN, 0});
      time = wanted_.empty() ? wait_time() : 0;
    }
    changed_.notify_all();
    for (const auto worker : std::exchange(wanted_, {}))
      spawn(worker);
    ::poll(watched.data(), watched.size(), time);
    std::uint64_t ignored = 0;
    [[maybe_unused]] const auto got =
        ::read(wakes_.get(), &ignored, sizeof ignored);
  }
}

void supervisor::take_time(std::uint32_t worker) {
  carry_out(worker, slots_[worker].policy.on_time(clock_.now()));
}

void supervisor::take_exit(std::uint32_t worker) {
  auto& at = slots_[worker];
  if (at.running.pid == 0)
    return;
  auto how = take_end(at.running);
  if (!how)
    return;
  at.last_end = at.why.empty() ? *how : at.why + ", " + *how;
  const auto pid = at.running.pid;
  at.running = process{};
  at.policy.on_exit(clock_.now());
  if (at.policy.state() == worker_state::ended)
    return;
  const auto pause = std::chrono::ceil<core::milliseconds>(std::max(
      *at.policy.deadline() - clock_.now(), core::steady_time::duration{}));
  parts_.log.write(log_level::warn, "workers",
                   "a worker ended; it starts again " + after(pause),
                   {{"worker", worker},
                    {"pid", pid},
                    {"end", at.last_end},
                    {"short_lives", at.policy.short_lives()}});
}

void supervisor::carry_out(std::uint32_t worker, supervision::order what) {
  auto& at = slots_[worker];
  switch (what) {
  case supervision::order::nothing:
    break;
  case supervision::order::spawn:
    wanted_.push_back(worker);
    break;
  case supervision::order::kill:
    // Not reaped yet, so the number is still its own.
    if (at.running.pid != 0)
      ::kill(at.running.pid, SIGKILL);
    break;
  }
}

// Without the lock: it takes its time.
void supervisor::spawn(std::uint32_t worker) {
  auto started = start_process(worker, parts_.doors);
  net::owned_fd line;
  std::uint64_t life = 0;
  {
    const std::lock_guard lock{mutex_};
    auto& at = slots_[worker];
    if (!started) {
      at.policy.on_spawn_failed(clock_.now());
      parts_.log.write_limited(
          log_level::error, "workers", "can't start a worker",
          {{"worker", worker}, {"error", core::to_string(started.error())}});
      return;
    }
    line = std::move(started->line);
    at.running = std::move(*started);
    at.started = clock_.wall();
    life = at.life = ++lives_;
    at.why.clear();
    at.policy.on_spawned(clock_.now());
    parts_.log.write(log_level::info, "workers", "worker started",
                     {{"worker", worker},
                      {"pid", at.running.pid},
                      {"restarts", at.policy.restarts()}});
  }
  parts_.attach(worker, life, std::move(line));
}

} // namespace troupe::app::workers
