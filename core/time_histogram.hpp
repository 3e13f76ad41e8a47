// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe::core {

/// How long something took, counted in buckets whose bounds suit disks and
/// networks: 250 us to 8 s, each twice the one before. Written and read by any
/// thread; a reader may see one observation in its bucket and not yet in the
/// sum.
class time_histogram {
public:
  static constexpr std::size_t bounds = 16;

  /// Upper bound, inclusive. REQUIRES: bucket < bounds.
  [[nodiscard]] static constexpr std::chrono::microseconds
  bound(std::size_t bucket) noexcept {
    return std::chrono::microseconds{std::int64_t{250} << bucket};
  }

  void add(std::chrono::nanoseconds taken) noexcept {
    std::size_t bucket = 0;
    while (bucket < bounds && taken > bound(bucket))
      ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add(static_cast<std::uint64_t>(taken.count()),
                           std::memory_order_relaxed);
  }

  /// Observations of one bucket alone; `bounds` is that of all longer ones.
  [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept {
    return counts_[bucket].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::chrono::nanoseconds sum() const noexcept {
    return std::chrono::nanoseconds{
        nanoseconds_.load(std::memory_order_relaxed)};
  }

private:
  std::array<std::atomic<std::uint64_t>, bounds + 1> counts_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

} // namespace troupe::core
