// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/configuration.hpp"
#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace troupe::cluster {

/// The numbers are stored and sent.
enum class entry_kind : std::uint8_t {
  command = 1,       ///< for the state machine.
  no_op = 2,         ///< a leader's first entry; the state machine skips it.
  configuration = 3, ///< new members; see encode(const configuration&).
};

/// One entry of the log; copies share the bytes.
struct entry {
  core::term term;
  entry_kind kind = entry_kind::command;
  core::shared_bytes data;

  friend bool operator==(const entry&, const entry&) = default;
};

/// What takes the place of the log up to and including `index`.
struct snapshot_meta {
  core::log_index index;
  /// Term of the entry at `index`.
  core::term term;
  /// Index of the entry that carried `configuration`.
  core::log_index configuration_index;
  cluster::configuration configuration;

  friend bool operator==(const snapshot_meta&, const snapshot_meta&) = default;
};

/// "Would you / will you vote for me?" (Raft 5.2, pre-vote: dissertation 9.6).
struct vote_request {
  /// The term campaigned for; not yet entered while `pre`.
  core::term term;
  core::log_index last;
  core::term last_term;
  bool pre = false;
  /// The leader asked for this election: don't protect it.
  bool forced = false;

  friend bool operator==(const vote_request&, const vote_request&) = default;
};

struct vote_answer {
  /// The term asked for if granted in advance, else the voter's own.
  core::term term;
  bool granted = false;
  bool pre = false;

  friend bool operator==(const vote_answer&, const vote_answer&) = default;
};

/// Entries behind `previous`, or a heartbeat without any (Raft 5.3).
struct append_request {
  core::term term;
  core::log_index previous;
  core::term previous_term;
  core::log_index commit;
  /// Echoed, so that the leader knows it led when it sent this.
  std::uint64_t round = 0;
  std::vector<entry> entries;

  friend bool operator==(const append_request&,
                         const append_request&) = default;
};

struct append_answer {
  core::term term;
  bool accepted = false;
  /// Accepted: equal to the leader's log up to here, and flushed. Refused:
  /// the logs may be equal here, not above.
  core::log_index index;
  /// Refused: the `previous` that did not match.
  core::log_index rejected;
  /// Refused: the follower's term at `index`.
  core::term hint_term;
  std::uint64_t round = 0;

  friend bool operator==(const append_answer&, const append_answer&) = default;
};

/// Follows the contents of a snapshot, which the host carries. The receiving
/// host steps it into its core when the contents are complete.
struct install_snapshot {
  core::term term;
  snapshot_meta meta;

  friend bool operator==(const install_snapshot&,
                         const install_snapshot&) = default;
};

/// The leader hands over: campaign at once.
struct timeout_now {
  core::term term;

  friend bool operator==(const timeout_now&, const timeout_now&) = default;
};

/// The order is the number of the kind on the wire; see raft_wire.hpp.
using message = std::variant<vote_request, vote_answer, append_request,
                             append_answer, install_snapshot, timeout_now>;

} // namespace troupe::cluster
