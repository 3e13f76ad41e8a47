// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe::net::zenconn {

struct zenconn_options {
  std::string realm = "default";
  /// What is no request is sent back as it came; otherwise it is ignored.
  bool echo = true;
  std::size_t message_bytes_max = std::size_t{1} << 20U;
  std::size_t channel_bytes_max = 256;
  /// Of one session.
  std::size_t channels_max = 1000;
  /// Answers that one session waits for; then nothing is read from it.
  std::size_t requests_max = 256;
  /// Bytes that may wait for a session; with more it is cut.
  std::size_t backlog_bytes_max = std::size_t{4} << 20U;
  /// How long other nodes may take to say whom a broadcast has reached.
  core::milliseconds count_time{1'000};
  /// After so long without a byte from the client it is pinged …
  core::milliseconds ping_time{30'000};
  /// … and after so long it is gone; 0 in either: never.
  core::milliseconds silence_time{60'000};
};

/// Relaxed, written on any loop. "Refused" has a reason each.
struct zenconn_stats {
  using counter = std::atomic<std::uint64_t>;

  counter sessions{0};      ///< now
  counter sessions_ever{0}; ///< since the start
  counter rooms{0};         ///< now: channels with members, a loop each
  counter joins{0};
  counter broadcasts{0};     ///< taken, into channels
  counter broadcasts_all{0}; ///< taken, to everybody
  counter delivered{0};      ///< events written for sessions
  counter delivered_bytes{0};
  counter echoed{0};
  counter ignored{0};        ///< no request, with echo off
  counter questions{0};      ///< broadcasts that other nodes were asked about
  counter answers{0};        ///< given to other nodes
  counter count_timeouts{0}; ///< of questions: not all nodes answered in time
  counter dropped_slow{0};   ///< sessions cut
  counter dropped_line{0};   ///< events that a full line to a worker lost
  counter rights_ended{0};   ///< sessions ended as they lost the right to be
  counter refused_login{0};  ///< 401, 403, 429
  counter refused_busy{0};   ///< 503
  counter refused_join{0};
  counter refused_broadcast{0};
};

inline void count(zenconn_stats::counter& what, std::uint64_t n = 1) {
  what.fetch_add(n, std::memory_order_relaxed);
}
inline void uncount(zenconn_stats::counter& what, std::uint64_t n = 1) {
  what.fetch_sub(n, std::memory_order_relaxed);
}

} // namespace troupe::net::zenconn
