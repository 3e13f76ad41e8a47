// SPDX-License-Identifier: Apache-2.0
#include "app/bench_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace troupe::app {
namespace {

constexpr unsigned half_bits = 5; // 32 buckets a doubling
constexpr std::uint64_t half = 1U << half_bits;
constexpr std::uint64_t value_max = (std::uint64_t{1} << 36) - 1;

/// Bits dropped from a value; the rest lies in [half, 2 * half).
constexpr unsigned shift_of(std::uint64_t value) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  return width > half_bits + 1 ? width - half_bits - 1 : 0;
}

constexpr std::size_t bucket_of(std::uint64_t value) {
  const auto shift = shift_of(value);
  return shift * half + (value >> shift);
}

constexpr std::uint64_t upper_end(std::size_t bucket) {
  if (bucket < 2 * half)
    return bucket;
  const auto shift = bucket / half - 1;
  const auto rest = bucket - shift * half;
  return ((rest + 1) << shift) - 1;
}

static_assert(upper_end(bucket_of(value_max)) == value_max);

} // namespace

void bench_histogram::record(std::chrono::nanoseconds duration) noexcept {
  const auto us = duration.count() > 0
                      ? static_cast<std::uint64_t>(duration.count()) / 1000
                      : 0;
  const auto value = std::min(us, value_max);
  ++counts_[bucket_of(value)];
  ++count_;
  max_us_ = std::max(max_us_, value);
}

void bench_histogram::merge(const bench_histogram& other) noexcept {
  for (std::size_t i = 0; i < buckets; ++i)
    counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_us_ = std::max(max_us_, other.max_us_);
}

std::uint64_t bench_histogram::at_share(double share) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(
      std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    seen += counts_[i];
    if (seen >= wanted && seen > 0)
      return std::min(upper_end(i), max_us_);
  }
  return 0;
}

} // namespace troupe::app
