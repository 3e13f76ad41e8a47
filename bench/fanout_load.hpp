// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <sys/types.h>

namespace troupe::bench {

struct load_options {
  std::uint16_t port = 0;
  pid_t server = 0; ///< its CPU time is measured
  std::size_t subscribers = 100;
  std::size_t publishers = 4;
  std::size_t payload_bytes = 128;
  /// Messages under way, of all publishers; 1 measures the round trip.
  std::uint64_t window = 256;
  std::chrono::milliseconds warm_up{500};
  std::chrono::milliseconds duration{2000};
};

struct load_result {
  double deliveries_per_second = 0;
  double server_microseconds_per_delivery = 0; ///< CPU
  double server_cores = 0;                     ///< CPU time / wall time
  double latency_p50_microseconds = 0; ///< publish to last subscriber's read
  double latency_p99_microseconds = 0;
};

/// Loads a server from this thread, over real loopback connections; ends the
/// process if anything goes wrong.
load_result run_load(const load_options& options);

} // namespace troupe::bench
