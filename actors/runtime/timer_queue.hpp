// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/task.hpp"
#include "core/ids.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::actors::runtime {

/// Names one timer of one queue; stays harmless after the timer fired or was
/// cancelled. A default-constructed handle names none.
class timer_handle {
public:
  timer_handle() noexcept = default;
  explicit operator bool() const noexcept { return serial_ != 0; }

private:
  friend class timer_queue;
  timer_handle(std::uint32_t slot, std::uint64_t serial) noexcept
      : slot_(slot), serial_(serial) {}
  std::uint32_t slot_ = 0;
  std::uint64_t serial_ = 0;
};

/// The timers of one loop: a heap ordered by deadline, without a clock of its
/// own. Deadlines are rounded up to a multiple of a grain, so that many timers
/// share one wake-up; none fires early. Timers of equal deadline fire in the
/// order in which they were added. Cancelling removes at once: memory is
/// bounded by the most timers ever pending together, and returned when none is
/// left. Owned by a loop and used on its thread only.
class timer_queue {
public:
  static constexpr std::chrono::milliseconds default_grain{25};

  /// `grain` > 0. O(log n).
  timer_handle add(core::steady_time deadline, task callback,
                   std::chrono::milliseconds grain = default_grain);
  /// False if the timer has fired or was cancelled. O(log n).
  bool cancel(timer_handle handle);

  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
  /// REQUIRES: !empty().
  [[nodiscard]] core::steady_time earliest() const {
    return heap_.front().deadline;
  }

  /// Removes and returns the next callback whose deadline is `now` or before.
  std::optional<task> take_due(core::steady_time now);

private:
  struct node {
    core::steady_time deadline;
    std::uint64_t serial;
    std::uint32_t slot;
  };
  struct slot {
    task callback;
    std::uint64_t serial = 0;   // 0: free
    std::uint32_t position = 0; // in heap_, or the next free slot
  };
  static constexpr std::uint32_t no_slot = UINT32_MAX;

  static bool before(const node& a, const node& b) noexcept;
  void place(std::size_t position, const node& n);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);
  task remove(std::size_t position);

  std::vector<node> heap_;
  std::vector<slot> slots_;
  std::uint32_t first_free_ = no_slot;
  std::uint64_t last_serial_ = 0;
};

} // namespace troupe::actors::runtime
