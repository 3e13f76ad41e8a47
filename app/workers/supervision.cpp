// SPDX-License-Identifier: Apache-2.0
#include "app/workers/supervision.hpp"

#include <algorithm>

namespace troupe::app::workers {

std::string_view to_string(worker_state state) noexcept {
  switch (state) {
  case worker_state::starting:
    return "starting";
  case worker_state::up:
    return "up";
  case worker_state::backing_off:
    return "backing_off";
  case worker_state::ending:
    return "ending";
  case worker_state::ended:
    return "ended";
  }
  return "unknown";
}

supervision::order supervision::on_time(core::steady_time now) {
  if (const auto due = deadline(); !due || now < *due)
    return order::nothing;
  switch (state_) {
  case worker_state::backing_off:
    return order::spawn;
  case worker_state::starting: // takes too long
    return on_lost(now);
  case worker_state::ending:
    // Once more if the kernel needs time; never in a busy loop.
    due_ = now + options_.stop_time;
    return order::kill;
  case worker_state::up:
  case worker_state::ended:
    break;
  }
  return order::nothing;
}

void supervision::on_spawned(core::steady_time now) {
  ++starts_;
  up_since_.reset();
  if (over_) {
    state_ = worker_state::ending;
    due_ = now;
    return;
  }
  state_ = worker_state::starting;
  due_ = now + options_.start_time;
}

void supervision::on_spawn_failed(core::steady_time now) {
  // A machine out of memory or processes is not asked again at once.
  short_lives_ = std::max(short_lives_, 1U) + 1;
  back_off(now);
}

void supervision::on_ready(core::steady_time now) {
  if (state_ != worker_state::starting)
    return;
  state_ = worker_state::up;
  up_since_ = now;
}

supervision::order supervision::on_lost(core::steady_time now) {
  if (state_ != worker_state::starting && state_ != worker_state::up)
    return order::nothing;
  state_ = worker_state::ending;
  due_ = now + options_.stop_time;
  return order::kill;
}

void supervision::on_closed(core::steady_time now) {
  if (on_lost(now) == order::kill)
    due_ = now + options_.close_time;
}

void supervision::on_exit(core::steady_time now) {
  count_life(now);
  back_off(now);
}

void supervision::on_end(core::steady_time now) {
  over_ = true;
  if (state_ == worker_state::backing_off || state_ == worker_state::ended) {
    state_ = worker_state::ended;
    return;
  }
  state_ = worker_state::ending;
  due_ = now + options_.stop_time;
}

std::optional<core::steady_time> supervision::deadline() const {
  if (state_ == worker_state::up || state_ == worker_state::ended)
    return std::nullopt;
  return due_;
}

core::milliseconds supervision::pause() const {
  if (short_lives_ <= 1)
    return core::milliseconds{0};
  const auto doublings = std::min(short_lives_ - 2, 16U);
  return std::min(options_.longest_pause,
                  options_.first_pause * (1U << doublings));
}

void supervision::count_life(core::steady_time now) {
  const bool steady = up_since_ && now - *up_since_ >= options_.steady_time;
  short_lives_ = steady ? 0 : short_lives_ + 1;
}

void supervision::back_off(core::steady_time now) {
  state_ = over_ ? worker_state::ended : worker_state::backing_off;
  due_ = now + pause();
}

} // namespace troupe::app::workers
