// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::storage {

/// What Raft must not forget beside its entries (Raft figure 2).
struct hard_state {
  core::term term;
  core::node_id vote; ///< none (0) if no vote was given in this term

  friend bool operator==(const hard_state&, const hard_state&) = default;
};

/// One entry of a group's replicated log. Its index follows from its place.
struct log_entry {
  core::term term;
  std::uint8_t kind = 0; ///< the replication core's own; opaque here
  core::shared_bytes data;

  friend bool operator==(const log_entry&, const log_entry&) = default;
};

/// What one step of one group wants written. The parts take effect in the
/// order of the members; all of it is durable when its token is reported.
struct log_write {
  core::group_id group;
  std::optional<storage::hard_state> hard_state;
  /// Replaces the group's snapshot record, opaque here (index, term,
  /// configuration). At most 64 KiB.
  std::optional<core::shared_bytes> snapshot_meta;
  /// Forgets the group's whole log: a snapshot was installed over it.
  bool replace_log = false;
  /// Forgets the entries from here on (Raft 5.3, conflicting entries).
  std::optional<core::log_index> truncate_from;
  /// Index of entries[0]. REQUIRES: it is not above the last index + 1 unless
  /// the group's log is empty; entries at and above it are replaced.
  core::log_index first;
  std::vector<log_entry> entries;
  /// Given back in the completion; the store does not look at it.
  std::uint64_t token = 0;
};

/// A log_write that is on stable storage now.
struct completion {
  core::group_id group;
  std::uint64_t token = 0;

  friend bool operator==(const completion&, const completion&) = default;
};

/// What the log holds of one group after a start.
struct recovered_group {
  core::group_id group;
  std::optional<storage::hard_state> hard_state;
  std::optional<core::shared_bytes> snapshot_meta;
  /// Index of entries[0]; without entries the index the next one should have,
  /// as far as the log knows (0 if it knows nothing).
  core::log_index first;
  std::vector<log_entry> entries;
};

/// A group whose durable applied index keeps old segments from being re-used.
struct lagging_group {
  core::group_id group;
  /// Entries through here must be applied durably and released for the oldest
  /// segment to become free.
  core::log_index needed;
  core::log_index released;
};

} // namespace troupe::storage
