// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::mqtt {

enum class trace_way : std::uint8_t {
  received, ///< from the client
  sent,     ///< to the client
  event,    ///< what became of it otherwise
};

struct trace_line {
  std::uint64_t number = 0; ///< ascends by 1, also over those left out
  core::timestamp when{};
  trace_way way = trace_way::event;
  std::string text;
};

struct trace_limits {
  std::size_t lines_max = 1'000;       ///< kept; the oldest go
  std::size_t lines_per_second = 200;  ///< more are left out
  std::size_t clients_max = 16;        ///< traced at once
  core::milliseconds patience{10'000}; ///< without a look
};

/// What one client says and is told, for whoever looks on just now.
/// Thread-safe.
class trace {
public:
  explicit trace(const trace_limits& limits) : limits_(limits) {}

  void look(core::steady_time now) {
    looked_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  /// Nobody looks any more: it is to be let go.
  [[nodiscard]] bool over(core::steady_time now) const {
    return now.time_since_epoch() - core::steady_time::duration{looked_.load(
                                        std::memory_order_relaxed)} >=
           limits_.patience;
  }

  void note(core::timestamp when, trace_way way, std::string text);

  struct page {
    std::vector<trace_line> lines;
    std::uint64_t next = 0; ///< `after` of the next page
    /// Lines between `after` and `next` that are not among these.
    std::uint64_t left_out = 0;
  };
  /// Lines behind `after`.
  [[nodiscard]] page read(std::uint64_t after) const;

private:
  const trace_limits limits_;
  mutable std::mutex mutex_;
  std::deque<trace_line> lines_; ///< guarded by mutex_
  std::uint64_t last_ = 0;       ///< guarded by mutex_
  core::timestamp second_{};     ///< guarded by mutex_
  std::size_t in_second_ = 0;    ///< guarded by mutex_
  std::atomic<core::steady_time::rep> looked_{0};
};

/// The traces of a node, by client id. Thread-safe.
class trace_book {
public:
  explicit trace_book(trace_limits limits = {}) : limits_(limits) {}

  /// Begins a trace, or goes on with it; null: as many are traced. `fresh`
  /// says whether it is new.
  std::shared_ptr<trace> look(const std::string& client, core::steady_time now,
                              bool& fresh);
  /// Null: nobody looks at that client. Costs next to nothing if nobody looks
  /// at any.
  [[nodiscard]] std::shared_ptr<trace> find(std::string_view client,
                                            core::steady_time now) const;

private:
  void forget_old(core::steady_time now);

  const trace_limits limits_;
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<trace>, std::less<>>
      traces_; ///< guarded by mutex_
};

} // namespace troupe::net::mqtt
