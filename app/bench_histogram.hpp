// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe::app {

/// Durations in microseconds, counted in fixed buckets: exact below 64 us,
/// then 32 buckets for each doubling, so a bucket is at most 3.2 % wide.
/// Durations above 2^36 us (19 hours) count as that. 8 KiB, no heap; one
/// thread.
class bench_histogram {
public:
  void record(std::chrono::nanoseconds duration) noexcept;
  void merge(const bench_histogram& other) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t max_us() const noexcept { return max_us_; }
  /// Upper end of the bucket that holds this share (0 to 1) of all, but never
  /// above the maximum; 0 if nothing was recorded.
  [[nodiscard]] std::uint64_t at_share(double share) const noexcept;

private:
  static constexpr std::size_t buckets = 1024;

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_us_ = 0;
};

} // namespace troupe::app
