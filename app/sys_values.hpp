// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::app {

/// What a node has counted up to now, as far as $SYS tells it.
struct sys_sample {
  // Since the start.
  std::uint64_t clients_ever = 0;
  std::uint64_t publish_received = 0; ///< publications of MQTT's clients
  std::uint64_t publish_sent = 0;     ///< publications to them
  std::uint64_t publish_dropped = 0;  ///< that clients did not get
  std::uint64_t bytes_received = 0;   ///< of all connections
  std::uint64_t bytes_sent = 0;
  std::uint64_t connections_ever = 0; ///< of any protocol
  // Now.
  std::uint64_t clients = 0; ///< sessions of MQTT
  std::uint64_t connections = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t log_bytes_waiting = 0; ///< for the disk
  std::uint64_t store_bytes = 0;       ///< the tables on the disk
  std::uint64_t store_health = 0;      ///< 0 room enough, 1 low, 2 full
};

/// A topic below a node's own, and its value.
using sys_value = std::pair<std::string, std::string>;

/// Makes of samples what $SYS says: counts as they are, and rates as
/// exponential moving averages over 1, 5 and 15 minutes, per minute, as
/// Mosquitto spells them. Pure; used by one thread.
class sys_values {
public:
  sys_values(std::string node, std::string version, core::steady_time started);

  /// All there is to be told, in a fixed order; the first call has no rates.
  std::vector<sys_value> update(const sys_sample& sample,
                                core::steady_time now);
  /// The same between two of these: counts as they are by now, rates as they
  /// were.
  [[nodiscard]] std::vector<sys_value> peek(const sys_sample& sample,
                                            core::steady_time now) const;

private:
  struct rate {
    std::string_view name;
    std::uint64_t sys_sample::*of;
    std::array<double, 3> averages{};
  };
  void note_rates(const sys_sample& sample, double minutes);

  const std::string node_;
  const std::string version_;
  const core::steady_time started_;
  sys_sample before_;
  core::steady_time when_{};
  bool sampled_ = false;
  bool rated_ = false;
  std::array<rate, 5> rates_;
};

} // namespace troupe::app
