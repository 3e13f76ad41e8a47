// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <cstdint>
#include <optional>

namespace troupe::cluster {

/// What a leader knows of one other member; starts afresh in every term.
struct progress {
  enum class mode : std::uint8_t {
    probe,     ///< looks for the last common entry, one message at a time.
    replicate, ///< sends ahead of the answers.
    snapshot,  ///< waits until a snapshot is installed.
  };

  mode state = mode::probe;
  /// The next entry to send.
  core::log_index next{1};
  /// Known to be equal to the leader's log and flushed up to here.
  core::log_index match;
  /// Last time anything was sent; heartbeats fill the gaps.
  core::steady_time sent{};
  /// The newest commit index it was told.
  core::log_index commit_sent;
  /// Probe: an answer is awaited.
  bool probing = false;
  /// Answered since the last quorum check.
  bool active = true;
  /// Time of the tick before its last answer.
  core::steady_time heard{};
  /// The newest round answered.
  std::uint64_t round = 0;

  /// The round by which it is asked whether it still follows, and when that
  /// was; 0: no answer is awaited.
  std::uint64_t asked_round = 0;
  core::steady_time asked{};
  /// It followed this leader then, or later; never: at the clock's beginning.
  core::steady_time followed{};

  /// Snapshot: the index offered; entries above it are kept meanwhile.
  core::log_index snapshot_index;
  /// Snapshot: when to stop waiting for the answer, or to try again after the
  /// host could not send it; nothing while the host is sending.
  std::optional<core::steady_time> snapshot_deadline;

  void become_probe(core::log_index from) {
    state = mode::probe;
    next = from;
    probing = false;
  }
  void become_replicate() {
    state = mode::replicate;
    next = core::next(match);
  }
  void become_snapshot(core::log_index index) {
    state = mode::snapshot;
    snapshot_index = index;
    snapshot_deadline.reset();
  }
};

} // namespace troupe::cluster
