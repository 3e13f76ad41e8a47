// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/listener_about.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::actors::channels {

/// What went through a channel on this node while somebody here listened to
/// exactly its topic.
struct channel_counts {
  std::uint64_t published = 0; ///< by this node's clients
  std::uint64_t received = 0;  ///< from other nodes
  std::uint64_t bytes = 0;     ///< of payloads of both
  std::uint64_t delivered = 0; ///< to listeners here, each counts
  std::uint64_t dropped = 0;   ///< for a loop whose queue was full
  /// When the last one was published, by its node's clock, in microseconds
  /// since 1970; 0: there was none.
  std::uint64_t last = 0;

  void add(const channel_counts& more);
};

/// What has happened to a channel on one loop since the last report.
struct channel_report {
  std::size_t loop = 0;
  /// The first since somebody has begun to listen there; each such beginning
  /// has one end.
  bool begins = false;
  bool ends = false;
  bool restricted = false;
  /// Who came, then who went (by session): somebody may be in both.
  std::vector<core::listener_about> came;
  std::vector<std::uint64_t> went;
  channel_counts counts;
};

} // namespace troupe::actors::channels
