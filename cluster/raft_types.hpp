// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/configuration.hpp"
#include "cluster/raft_message.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::cluster {

/// What a replica must never forget (Raft 5.1, 5.2).
struct hard_state {
  core::term term;
  /// Whom it voted for in `term`; 0 is nobody.
  core::node_id vote;

  friend bool operator==(const hard_state&, const hard_state&) = default;
};

/// What the host found on disk when it started the replica. A joining node
/// starts from a default-constructed one.
struct persisted_state {
  cluster::hard_state hard_state;
  /// The last one persisted by write_batch::snapshot, or recorded by the state
  /// machine when it installed contents from a leader, whichever is newer.
  std::optional<snapshot_meta> snapshot;
  /// Index of entries.front(); meaningless without entries.
  core::log_index first{1};
  std::vector<entry> entries;
  /// The newest entry whose effects the state machine has on disk. Entries up
  /// to it are not handed out again. 0 is taken as the snapshot's index.
  core::log_index applied;
};

/// The state with which every initial voter of a new group starts: term 1 and
/// one entry, the configuration. REQUIRES: is_valid(members).
[[nodiscard]] persisted_state bootstrap(const configuration& members);

/// Test-only fault injection: each value switches off one rule of the
/// algorithm, so that the tests can show that they notice. Never set outside
/// of tests.
enum class raft_mutation : std::uint8_t {
  none,
  send_before_hard_state_flush,  ///< votes leave before they are on disk.
  acknowledge_before_flush,      ///< follower reports unflushed entries.
  leader_counts_unflushed,       ///< leader counts its own unflushed entries.
  vote_without_log_check,        ///< votes for candidates that lack entries.
  overlapping_changes,           ///< two membership changes in flight.
  commit_beyond_verified,        ///< follower commits its unverified tail.
  old_term_commit,               ///< counts replicas of old-term entries.
  old_term_commit_without_no_op, ///< that, and no entry when elected.
  vote_not_persisted,            ///< a restart forgets the vote.
  no_configuration_rollback,     ///< truncation keeps the configuration.
  snapshot_wipes_tail,           ///< a snapshot replaces a log that has it.
  change_before_no_op,           ///< membership change in an unproved term.
  stale_completion_counts,       ///< a write before a truncation counts.
  report_stored_index,           ///< follower reports its last stored entry.
  lone_voter_keeps_term,         ///< a lone voter leads in its old term.
  verified_survives_term,        ///< verified index kept for a new leader.
  read_without_round,            ///< reads don't confirm the leadership.
  apply_uncommitted,             ///< applies what is only on its own disk.
};

/// Settings of one replica; the same on all nodes. Times are checked at each
/// tick, so they should be multiples of the tick (50 ms in production).
struct raft_options {
  /// A follower campaigns when it heard no leader for a random time between
  /// these two.
  core::milliseconds election_timeout_min{500};
  core::milliseconds election_timeout_max{1000};
  /// A leader that has nothing to say says so this often.
  core::milliseconds heartbeat{200};
  /// Followers are asked whether they still follow: see raft::lease_end().
  bool lease = true;
  /// How long a leader waits for the answer to a snapshot that was sent.
  core::milliseconds snapshot_answer_timeout{10'000};
  /// Payload of one append message; an entry above it travels alone.
  std::size_t message_bytes_max = std::size_t{256} << 10;
  /// Entries sent to one follower ahead of its answer.
  std::uint64_t window_entries = std::uint64_t{16} << 10;
  /// Proposals that are not committed yet; propose() refuses above it.
  std::size_t uncommitted_bytes_max = std::size_t{64} << 20;
  /// Reads that wait for confirmation; read_index() refuses above it.
  std::size_t reads_max = std::size_t{64} << 10;
  /// Messages held back until the hard state is flushed; more are dropped,
  /// which the algorithm treats as loss on the network.
  std::size_t held_messages_max = 4096;
  /// What compact() leaves for slow followers, whichever is smaller; nothing
  /// on a lone member.
  std::uint64_t keep_entries = 10'000;
  std::size_t keep_bytes = std::size_t{64} << 20;
  /// Tests only.
  raft_mutation mutation = raft_mutation::none;
};

/// One ordered, durable write. The host carries batches out strictly in the
/// order of `sequence`, and inside a batch in the order of the members below.
/// It calls raft::persisted(sequence) when the batch and all before it are on
/// stable storage; one call for the last of several batches is enough. A crash
/// may keep any prefix of the batches, but no part of a later one without all
/// of the earlier. A batch in itself must be atomic.
struct write_batch {
  std::uint64_t sequence = 0;
  std::optional<cluster::hard_state> hard_state;
  /// The new start of the log.
  std::optional<snapshot_meta> snapshot;
  /// With `snapshot`: every stored entry is dropped, the log continues after
  /// snapshot->index.
  bool replace_log = false;
  /// Drop stored entries from this index on.
  std::optional<core::log_index> truncate_from;
  /// Index of entries.front(): the one after the last stored entry.
  core::log_index first;
  std::vector<entry> entries;
  /// Stored entries up to this index may be dropped, now or later.
  std::optional<core::log_index> trim_to;
};

/// A message for another node. Sending never fails: what can't be sent is
/// dropped. Loss, reordering and duplication are tolerated.
struct outgoing {
  core::node_id to;
  cluster::message message;
};

/// An entry to be applied: agreed upon, and flushed on this node as well.
struct committed_entry {
  core::log_index index;
  core::term term;
  entry_kind kind = entry_kind::command;
  core::shared_bytes data;
};

/// The answer to read_index(token). With errc::ok a read of the state machine
/// is linearizable once everything in output::committed has been applied;
/// errc::not_leader: ask again elsewhere.
struct read_answer {
  std::uint64_t token = 0;
  core::errc status = core::errc::ok;
  /// Everything up to here was committed when the read was asked for.
  core::log_index index;
};

/// Leader: `to` needs entries that are no longer in the log. The host streams
/// the state machine's contents and, behind them, the announcement. It may
/// send newer contents by replacing announcement.meta with raft::describe() of
/// their index. It ends with raft::snapshot_sent(to, …) in any case.
struct snapshot_send {
  core::node_id to;
  install_snapshot announcement;
};

/// Everything the host has to do, in the order of the members; see raft.hpp.
struct output {
  std::optional<write_batch> write;
  std::vector<outgoing> messages;
  /// Ascending without gaps over all outputs since start().
  std::vector<committed_entry> committed;
  std::vector<read_answer> reads;
  std::vector<snapshot_send> send_snapshots;
  /// Follower: put the received contents in the place of the state machine's,
  /// durably and together with this meta; then call
  /// raft::snapshot_installed(meta), or snapshot_failed().
  std::optional<snapshot_meta> install;
  /// leads(), leader() or current_term() differ from the previous output.
  bool leadership_changed = false;

  [[nodiscard]] bool empty() const {
    return !write && messages.empty() && committed.empty() && reads.empty() &&
           send_snapshots.empty() && !install && !leadership_changed;
  }
};

} // namespace troupe::cluster
