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
#include <functional>
#include <optional>
#include <utility>

namespace troupe::actors {

/// Where a replica finds its surroundings; all of it outlives the replica.
struct replica_deps {
  core::group_id group;
  core::node_id self;
  cluster::raft_options raft;
  const core::clock* clock = nullptr;
  replica_log* log = nullptr;
  /// Larger commands are refused: the log could not write them.
  std::size_t command_bytes_max = std::size_t{21} << 20;
  core::state_space* space = nullptr;
  /// Contents of the log at start.
  storage::recovered_group recovered;
};

/// Joins the consensus core of one group with the node's log: what the core
/// wants written goes to the log store, what is durable comes back, what is
/// committed is applied. No actor: owned by the shard and directory actors,
/// which call it on their loop only.
class replica {
public:
  /// Applies one committed command; configuration and no-op entries never
  /// reach it.
  using apply_function = std::function<void(const cluster::committed_entry&)>;

  replica(replica_deps deps, apply_function apply);

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

  /// The log thread reports a write.
  void persisted(std::uint64_t write);
  /// The state thread has committed the tables up to `applied`.
  void committed_state(core::log_index applied);
  /// About every 50 ms.
  void tick();

  /// Carries out what the core wants done; applies what is committed.
  void pump();

  [[nodiscard]] bool leads() const { return raft_.leads(); }
  /// Leads and has applied all that was in the log when it began to.
  [[nodiscard]] bool ready() const {
    return raft_.established() && raft_.applied() >= raft_.commit();
  }
  /// Nothing waits for the disk.
  [[nodiscard]] bool quiet() const {
    return written_ == persisted_ && stalled_.empty();
  }
  [[nodiscard]] const cluster::raft& core_state() const { return raft_; }
  /// The time that a command proposed now would bear.
  [[nodiscard]] core::timestamp next_time() const;
  [[nodiscard]] bool storage_is_low() const {
    return deps_.log->storage_is_low();
  }

private:
  void write(cluster::write_batch batch);
  void retry_stalled();
  void compact();

  replica_deps deps_;
  apply_function apply_;
  cluster::raft raft_;
  core::timestamp last_time_{};
  std::uint64_t written_ = 0;
  std::uint64_t persisted_ = 0;
  /// Writes the log had no room for, in order.
  std::deque<storage::log_write> stalled_;
  /// The tables are durable through here.
  core::log_index durable_;
  /// After this write, the log may forget what is up to the index.
  std::optional<std::pair<std::uint64_t, core::log_index>> release_;
  std::size_t applied_bytes_ = 0; // since the last compaction
  std::uint64_t ticks_ = 0;
  bool pumping_ = false;
};

} // namespace troupe::actors
