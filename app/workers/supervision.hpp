// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::app::workers {

/// How often both ends of a line say that they live; how many beats in a row
/// may be missing. Beats are counted and not clocks compared, so that a
/// process that was itself stopped for a while accuses nobody.
inline constexpr core::milliseconds beat_interval{500};
inline constexpr unsigned missed_beats_max = 6;

struct supervision_options {
  /// From the start of a process to its first word.
  core::milliseconds start_time{20'000};
  /// Who has served for so long was no failure.
  core::milliseconds steady_time{2'000};
  /// Before the third start in a row; doubles with each.
  core::milliseconds first_pause{100};
  core::milliseconds longest_pause{30'000};
  /// Who has closed his line has so long to end.
  core::milliseconds close_time{300};
  /// From "stop" to the kill, and between kills.
  core::milliseconds stop_time{1'000};
};

/// Numbers as in metrics and GET /workers.
enum class worker_state : std::uint8_t {
  starting,    ///< a process that has not said yet that it accepts
  up,          ///< accepts clients
  backing_off, ///< no process until a pause is over
  ending,      ///< was killed or told to end; the process is still there
  ended,       ///< no process, and there will be none
};
inline constexpr std::size_t worker_state_count = 5;
[[nodiscard]] std::string_view to_string(worker_state state) noexcept;

/// When one worker's process is started, killed and replaced. Pure: what
/// happens comes in with the time, what is to be done goes out. Owned by a
/// supervisor.
class supervision {
public:
  enum class order : std::uint8_t { nothing, spawn, kill };

  explicit supervision(supervision_options options) : options_(options) {}

  /// The first start, and whenever deadline() has passed.
  [[nodiscard]] order on_time(core::steady_time now);
  /// Answers to `spawn`.
  void on_spawned(core::steady_time now);
  void on_spawn_failed(core::steady_time now);
  /// It accepts clients.
  void on_ready(core::steady_time now);
  /// It missed too many beats or talks nonsense.
  [[nodiscard]] order on_lost(core::steady_time now);
  /// It has closed its line, so it should be about to end.
  void on_closed(core::steady_time now);
  /// The process is gone; deadline() says when another one follows.
  void on_exit(core::steady_time now);
  /// No more starts. The process has until deadline() to go by itself.
  void on_end(core::steady_time now);

  [[nodiscard]] worker_state state() const { return state_; }
  [[nodiscard]] std::optional<core::steady_time> deadline() const;
  /// Starts behind the first one.
  [[nodiscard]] std::uint64_t restarts() const {
    return starts_ == 0 ? 0 : starts_ - 1;
  }
  /// Ends in a row that came too soon.
  [[nodiscard]] unsigned short_lives() const { return short_lives_; }

private:
  /// The pause before the next start.
  [[nodiscard]] core::milliseconds pause() const;
  void count_life(core::steady_time now);
  void back_off(core::steady_time now);

  supervision_options options_;
  worker_state state_ = worker_state::backing_off;
  core::steady_time due_{}; // of the state
  std::optional<core::steady_time> up_since_;
  std::uint64_t starts_ = 0;
  unsigned short_lives_ = 0;
  bool over_ = false;
};

} // namespace troupe::app::workers
