// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/configuration.hpp"
#include "cluster/progress.hpp"
#include "cluster/raft_log_view.hpp"
#include "cluster/raft_message.hpp"
#include "cluster/raft_types.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace troupe::cluster {

/// One replica of one replicated log: Raft as a state machine without I/O,
/// clock or threads. Every call only changes memory; take_output() says what
/// is to be done. Owned and driven by one host thread at a time:
///
///   1. feed: step(), tick(), propose…(), persisted(), …  (any number)
///   2. output o = take_output();
///   3. hand o.write to the storage queue (a FIFO; don't wait for it);
///   4. send o.messages. They may leave before o.write is on disk: whatever
///      must wait for it is still held inside;
///   5. apply o.committed in order, then answer o.reads;
///   6. start what o.send_snapshots and o.install ask for;
///   7. when the storage reports: persisted(sequence), and again from 2.
///
/// A client's command is done when its index comes back in o.committed with
/// the term in which it was proposed; another term at that index means that it
/// was lost. A failed write must end the process: it is never reported.
class raft {
public:
  /// Any 64 random bits; seeded in tests. Spreads the election timeouts.
  using random_source = std::function<std::uint64_t()>;

  raft(core::group_id group, core::node_id self, raft_options options,
       random_source random);

  /// Once, before anything else. A node that is the only voter campaigns at
  /// once, in a new term: what it led before may have reached others only.
  void start(persisted_state state, core::steady_time now);

  // ----- what is
  [[nodiscard]] core::group_id group() const { return group_; }
  [[nodiscard]] core::node_id self() const { return self_; }
  [[nodiscard]] bool leads() const { return role_ == role::leader; }
  /// The leader of current_term() as far as known, else 0.
  [[nodiscard]] core::node_id leader() const { return leader_; }
  /// Leader: leadership is being handed over.
  [[nodiscard]] bool transferring() const {
    return transfer_to_ != core::node_id{};
  }
  [[nodiscard]] core::term current_term() const { return hard_.term; }
  [[nodiscard]] core::log_index commit() const { return commit_; }
  /// The last entry handed out in output::committed.
  [[nodiscard]] core::log_index applied() const { return applied_; }
  [[nodiscard]] core::log_index first() const { return log_.first(); }
  [[nodiscard]] core::log_index last() const { return log_.last(); }
  /// The last entry known to be flushed here.
  [[nodiscard]] core::log_index flushed() const { return flushed_; }
  /// True once a leader has committed an entry of its own term: it then knows
  /// what is committed, answers reads and accepts membership changes.
  [[nodiscard]] bool established() const {
    return leads() && commit_ >= term_start_;
  }
  /// Follower: output::install is being carried out.
  [[nodiscard]] bool installing() const { return installing_; }
  /// The newest configuration in the log, committed or not.
  [[nodiscard]] const configuration& members() const {
    return configurations_.current();
  }
  /// The entry that brought members(), 0 if there are none.
  [[nodiscard]] core::log_index members_index() const {
    return configurations_.current_index();
  }
  /// The term of an entry that is in memory, or the snapshot's last.
  [[nodiscard]] std::optional<core::term> term_at(core::log_index i) const {
    return log_.term_at(i);
  }
  /// REQUIRES: first() <= i <= last().
  [[nodiscard]] const entry& entry_at(core::log_index i) const {
    return log_.at(i);
  }
  /// Leader: what is known of a member; nullptr for itself and strangers.
  [[nodiscard]] const progress* progress_of(core::node_id node) const;
  /// Leader: the member answers, and lacks at most so many entries.
  [[nodiscard]] bool is_near(core::node_id node, std::uint64_t lag) const;
  /// Until when nobody else leads, as far as clocks run at the same pace
  /// everywhere: a majority has followed this leader less than
  /// election_timeout_min ago, and grants no vote before that is over (Raft
  /// dissertation 6.4.1). The clock's beginning if it is not sure, its end if
  /// nobody else could lead. Followers that restart forget whom they followed,
  /// so this is no base for what must be linearizable.
  [[nodiscard]] core::steady_time lease_end() const;
  /// A broken invariant (two leaders in one term, a conflict with committed
  /// entries). From then on the replica does nothing more; the host should
  /// end the process and let an operator look.
  [[nodiscard]] const std::optional<core::error>& fatal() const {
    return fatal_;
  }

  // ----- requests; all fail with not_leader unless this node leads
  /// Appends a command. Also: unavailable while leadership is being handed
  /// over, overloaded above uncommitted_bytes_max.
  core::result<core::log_index> propose(core::shared_bytes command);

  /// Membership. One change at a time, and only when established(); otherwise
  /// unavailable. invalid_config if the step is not allowed.
  core::result<core::log_index>
  propose_configuration(const configuration& members);
  core::result<core::log_index> add_learner(core::node_id node);
  /// Also unavailable while the learner lags by more than window_entries or
  /// does not know yet that it is one.
  core::result<core::log_index> promote(core::node_id node);
  core::result<core::log_index> remove(core::node_id node);

  /// Hands leadership to a voter as soon as it has the whole log. Proposals
  /// are refused meanwhile; given up after election_timeout_min.
  core::result<void> transfer(core::node_id to);

  /// A linearizable read without a log entry (Raft dissertation 6.4). Comes
  /// back in output::reads. Also: unavailable until established(),
  /// overloaded above reads_max.
  core::result<void> read_index(std::uint64_t token);

  // ----- events
  /// A message of another member. Whatever it contains, it is never worse
  /// than a lost one, or fatal() if it proves a broken invariant.
  void step(core::node_id from, message m, core::steady_time now);
  /// Times never run backwards. Step what has arrived before, so that a late
  /// tick does not pass for a silent leader.
  void tick(core::steady_time now);
  /// When tick() has something to do again, as things are; it may be called
  /// earlier, and should be when leads() or leader() changes.
  [[nodiscard]] core::steady_time next_tick() const;
  /// write_batch `sequence` and all before it are on stable storage.
  void persisted(std::uint64_t sequence);

  // ----- snapshots and compaction
  /// The meta of the state machine's contents after applying `index`.
  /// REQUIRES: the index of the newest snapshot <= index <= applied().
  [[nodiscard]] snapshot_meta describe(core::log_index index) const;
  /// The state machine has everything up to `through` on stable storage: drop
  /// those entries, but for the tail of raft_options::keep_entries. Calls
  /// beyond applied(), or behind the newest snapshot, do nothing more than is
  /// safe.
  void compact(core::log_index through);
  /// The newest snapshot, i.e. the last compact() or installation.
  [[nodiscard]] const std::optional<snapshot_meta>& snapshot() const {
    return snapshot_;
  }
  /// Leader: the contents asked for by output::send_snapshots are on their way
  /// completely, or could not be sent.
  void snapshot_sent(core::node_id to, bool complete);
  /// Follower: the state machine now durably is what output::install asked for.
  void snapshot_installed(const snapshot_meta& meta);
  /// Follower: the contents were unusable; nothing has changed.
  void snapshot_failed();

  // ----- what to do
  /// True if take_output() would not be empty.
  [[nodiscard]] bool has_output() const { return dirty_; }
  [[nodiscard]] output take_output();

private:
  enum class role : std::uint8_t { follower, pre_candidate, candidate, leader };

  struct held_message {
    std::uint64_t after; // sequence of the write it waits for
    outgoing out;
  };
  struct flight {
    std::uint64_t sequence;
    core::log_index last; // entries up to here are flushed when it lands
  };
  struct waiting_read {
    std::uint64_t token;
    std::uint64_t round;
    core::log_index index;
  };

  // raft.cpp
  [[nodiscard]] bool mutated(raft_mutation m) const {
    return options_.mutation == m;
  }
  void fail(std::string detail);
  void send(core::node_id to, message m);
  void set_hard_state(core::term term, core::node_id vote);
  void append_local(entry e);
  void append_to_log(entry e);
  void load_log(persisted_state& state);
  void collect_write(output& out);
  void collect_messages(output& out);
  void collect_committed(output& out);
  void collect_reads(output& out);

  // raft_election.cpp
  void restart_election_timer();
  [[nodiscard]] bool leader_is_alive() const;
  void become_follower(core::term term, core::node_id leader);
  void become_leader();
  void campaign(bool pre, bool forced);
  void count_votes();
  void check_quorum();
  void on(core::node_id from, const vote_request& m);
  void on(core::node_id from, const vote_answer& m);
  void on(core::node_id from, const timeout_now& m);

  // raft_replication.cpp: the leader's side
  void match_peers_to_configuration();
  void tick_leader();
  void replicate();
  void replicate_to(core::node_id to, progress& peer, bool new_round);
  void send_append(core::node_id to, progress& peer, core::log_index previous,
                   bool with_entries);
  void offer_snapshot(core::node_id to, progress& peer);
  void advance_commit();
  void on(core::node_id from, const append_answer& m);
  void on_rejection(progress& peer, const append_answer& m);
  void ask_whether_it_follows(progress& peer);
  void confirm_reads();
  void fail_reads();
  void finish_configuration_change(core::log_index index);

  // raft_membership.cpp: configurations, snapshots, compaction
  [[nodiscard]] core::result<void> may_change_members() const;
  void set_snapshot(const snapshot_meta& meta);

  // raft_follower.cpp
  bool accept_leader(core::node_id from, core::term term);
  void acknowledge(std::uint64_t round);
  void reject(core::node_id to, const append_request& m, core::log_index hint);
  [[nodiscard]] bool previous_matches(core::node_id from,
                                      const append_request& m);
  [[nodiscard]] core::log_index store(append_request& m, bool& appended);
  void fail_on_contradiction(core::log_index index);
  void truncate(core::log_index from);
  void on(core::node_id from, append_request& m);
  void on(core::node_id from, install_snapshot& m);

  const core::group_id group_;
  const core::node_id self_;
  const raft_options options_;
  random_source random_;
  std::optional<core::error> fatal_;

  core::steady_time now_{};
  hard_state hard_;
  role role_ = role::follower;
  core::node_id leader_;

  raft_log_view log_;
  configuration_history configurations_;
  std::optional<snapshot_meta> snapshot_;
  core::log_index commit_;
  core::log_index applied_;
  core::log_index flushed_;
  // Handed to the host for writing up to here.
  core::log_index submitted_;
  // Equal to the log of the leader of this term up to here. After every change
  // of term or leader that is what was committed: any leader has it.
  core::log_index verified_;

  // Writes.
  std::uint64_t last_sequence_ = 0;
  std::uint64_t persisted_sequence_ = 0;
  std::uint64_t hard_state_sequence_ = 0; // the write with the newest one
  bool hard_state_changed_ = false;
  std::optional<snapshot_meta> snapshot_to_write_;
  bool replace_log_ = false;
  std::optional<core::log_index> truncate_from_;
  std::optional<core::log_index> trim_to_;
  std::deque<flight> flights_;

  // Elections.
  core::steady_time timer_{};
  core::milliseconds timeout_{};
  core::steady_time leader_heard_{};
  std::set<core::node_id> granted_;
  std::set<core::node_id> refused_;

  // Leading.
  std::map<core::node_id, progress> peers_;
  core::log_index term_start_;           // the own no-op
  std::vector<core::log_index> matches_; // scratch of advance_commit()
  core::steady_time quorum_checked_{};
  std::size_t uncommitted_bytes_ = 0;
  core::node_id transfer_to_;
  core::steady_time transfer_started_{};
  bool transfer_announced_ = false;
  std::uint64_t round_ = 0;
  bool round_wanted_ = false;
  std::deque<waiting_read> reads_;

  // Following.
  bool installing_ = false;
  std::uint64_t round_answered_ = 0;

  // Output.
  bool dirty_ = false;
  std::vector<outgoing> messages_;
  std::deque<held_message> held_;
  std::deque<read_answer> answered_reads_;
  std::vector<snapshot_send> send_snapshots_;
  std::optional<snapshot_meta> install_;
  bool reported_leads_ = false;
  core::node_id reported_leader_;
  core::term reported_term_;
};

} // namespace troupe::cluster
