// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

namespace troupe::actors::channels {

/// The figures of a channel that lists are sorted by: written by its actor
/// after each report, relaxed; read on any thread.
struct channel_summary {
  channel_summary(std::string in_realm, std::string of_topic)
      : realm(std::move(in_realm)), topic(std::move(of_topic)) {}

  const std::string realm;
  const std::string topic; ///< as core::topic spells it
  std::atomic<std::uint64_t> listeners{0};
  std::atomic<std::uint64_t> users{0};
  std::atomic<std::uint64_t> published{0};
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> delivered{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> last{0}; ///< microseconds, 0: never
  std::atomic<bool> restricted{false};
  /// Publications a second, and when that was so.
  std::atomic<double> rate{0};
  std::atomic<core::steady_time::rep> rate_at{0};
};

} // namespace troupe::actors::channels
