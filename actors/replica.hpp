// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/replica_log.hpp"
#include "cluster/raft.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "core/state_space.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::actors {

/// The replica's own rows in the tables of its group: the time of the last
/// command, and what installed contents are as of (encode_snapshot_meta).
inline constexpr std::string_view time_key = "\xFF"
                                             "time";
inline constexpr std::string_view installed_key = "\xFF"
                                                  "installed";

/// What a snapshot is, as the log and the tables keep it.
[[nodiscard]] core::shared_bytes
encode_snapshot_meta(const cluster::snapshot_meta& meta);
[[nodiscard]] std::optional<cluster::snapshot_meta>
decode_snapshot_meta(core::shared_bytes bytes);

/// Where a replica finds its surroundings; all of it outlives the replica.
struct replica_deps {
  core::group_id group;
  core::node_id self;
  /// Members with which this node makes the group if its log knows nothing of
  /// it: itself on the first node of a cluster. Without, it waits for the
  /// group's leader.
  std::optional<cluster::configuration> founding;
  cluster::raft_options raft;
  const core::clock* clock = nullptr;
  replica_log* log = nullptr;
  /// Larger commands are refused: the log could not write them.
  std::size_t command_bytes_max = std::size_t{21} << 20;
  core::state_space* space = nullptr;
  /// Contents of the log at start.
  storage::recovered_group recovered;
  /// Seed of the election timeouts; nothing: at random.
  std::optional<std::uint64_t> seed;
};

/// What a replica has others do. Called from inside the replica's verbs, which
/// must not be called in turn.
class replica_host {
public:
  virtual ~replica_host() = default;
  /// A command was agreed upon: configuration and no-op entries never come.
  virtual void apply(const cluster::committed_entry& command) = 0;
  /// May be lost.
  virtual void send(core::node_id to, const cluster::message& message) = 0;
  /// The answer to a read asked for.
  virtual void on_read(const cluster::read_answer& answer) = 0;
  /// Leader: see cluster::output.
  virtual void send_snapshot(const cluster::snapshot_send& order) = 0;
  /// Follower: see cluster::output. All that was promised before is on disk.
  virtual void install(const cluster::snapshot_meta& meta) = 0;
  /// Another leader or term, or none.
  virtual void on_leadership() = 0;
  /// Leader: how long a proposal took to be agreed upon. Not of each one.
  virtual void on_commit_time(std::chrono::nanoseconds taken) = 0;
};

/// Joins the consensus core of one group with the node's log: what the core
/// wants written goes to the log store, what is durable comes back, what is
/// committed is applied. No actor: owned by the shard and directory actors,
/// which call it on their loop only.
class replica {
public:
  /// `host` must live longer.
  replica(replica_deps deps, replica_host& host);

  /// Starts the core from what the log holds. Replays through `apply` what the
  /// tables have not seen yet, as soon as it is committed.
  void start();

  /// Stamps the time into the command and appends it to the log; it is applied
  /// when a majority has it. Call pump() afterwards. Errors: not_leader,
  /// unavailable, overloaded, too_large. Who proposes growing work asks
  /// storage_is_low() before.
  core::result<core::log_index> propose(core::shared_bytes command);

  /// propose() would not be refused as `overloaded`.
  [[nodiscard]] bool has_room() const {
    return stalled_.empty() && deps_.log->has_room();
  }

  /// A message of another replica.
  void receive(core::node_id from, cluster::message message);
  /// The log thread reports a write.
  void persisted(std::uint64_t write);
  /// The state thread has committed the tables up to `applied`.
  void committed_state(core::log_index applied);
  /// See raft::next_tick(). Asleep, it does not campaign, whatever it misses.
  void tick(bool asleep = false);

  /// Carries out what the core wants done; applies what is committed.
  void pump();

  /// While there are pins, the log is not compacted: what the tables hold now
  /// can still be described and continued.
  void pin() { ++pins_; }
  void unpin() { --pins_; }
  /// The tables are what install() asked for, or could not be made so.
  void installed(const cluster::snapshot_meta& meta);
  void install_failed();

  [[nodiscard]] bool leads() const { return raft_.leads(); }
  /// Leads and has applied all that was in the log when it began to.
  [[nodiscard]] bool ready() const {
    return raft_.established() && raft_.applied() >= raft_.commit();
  }
  /// Nothing waits for the disk.
  [[nodiscard]] bool quiet() const {
    return written_ == persisted_ && stalled_.empty();
  }
  /// Nobody else is in the group.
  [[nodiscard]] bool alone() const {
    return raft_.members().is_lone_voter(deps_.self) &&
           raft_.members().learners.empty();
  }
  /// For its questions, and for requests that change only memory: membership,
  /// transfer, reads. Call pump() behind those.
  [[nodiscard]] cluster::raft& consensus() { return raft_; }
  [[nodiscard]] const cluster::raft& consensus() const { return raft_; }
  /// The time that a command proposed now would bear.
  [[nodiscard]] core::timestamp next_time() const;
  [[nodiscard]] bool storage_is_low() const {
    return deps_.log->storage_is_low();
  }

private:
  void found(cluster::persisted_state& state);
  [[nodiscard]] std::optional<cluster::snapshot_meta>
  newest_snapshot(const storage::recovered_group& record) const;
  void learn_time();
  void apply(std::vector<cluster::committed_entry>& committed);
  void install_when_quiet();
  void write(cluster::write_batch batch);
  void retry_stalled();
  void compact();

  replica_deps deps_;
  replica_host& host_;
  cluster::raft raft_;
  /// Of the last command applied; a leader's: of the last in its log.
  core::timestamp last_time_{};
  core::term led_term_;
  /// The proposal whose time is taken, and since when.
  std::optional<std::pair<core::log_index, core::steady_time>> measured_;
  std::uint64_t written_ = 0;
  std::uint64_t persisted_ = 0;
  /// Writes the log had no room for, in order.
  std::deque<storage::log_write> stalled_;
  /// The tables are durable through here.
  core::log_index durable_;
  /// After this write, the log may forget what is up to the index.
  std::optional<std::pair<std::uint64_t, core::log_index>> release_;
  std::size_t applied_bytes_ = 0; // since the last compaction
  /// Asked for by the core, not yet by the host.
  std::optional<cluster::snapshot_meta> install_;
  core::steady_time looked_{}; // at what the log still holds
  int pins_ = 0;
  bool pumping_ = false;
};

} // namespace troupe::actors
