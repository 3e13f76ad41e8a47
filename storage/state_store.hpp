// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/state_space.hpp"
#include "storage/cluster_id.hpp"
#include "storage/fatal.hpp"
#include "storage/health.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace troupe::storage {

/// A group and the log index whose effects are durable.
struct durable_point {
  core::group_id group;
  core::log_index applied;
};

struct state_options {
  std::filesystem::path folder; ///< made if missing
  cluster_id cluster;
  /// Groups this node may hold: 0 .. groups-1. May grow between starts.
  std::uint16_t groups = 17;
  /// Address space, not disk: never changed while open.
  std::size_t map_bytes = std::size_t{1} << 40;
  /// Above this much of mapped files resident in the process, the pages of the
  /// state are given up to the kernel's cache; 0: never.
  std::size_t mapped_bytes_max = std::size_t{256} << 20;
  /// A commit is made this long after the first change, 20–100 ms.
  std::chrono::milliseconds commit_interval{50};
  /// … or once this much waits, whichever comes first.
  std::size_t commit_bytes = std::size_t{32} << 20;
  /// Above this much in memory health() is full; see backlog_bytes().
  std::size_t backlog_bytes_max = std::size_t{256} << 20;
  /// Bytes the state may use on disk; 0 is no quota. Above 90 % health() is
  /// low, above it full. Deleting goes on.
  std::uint64_t quota_bytes = 0;
  /// Below this much free disk, health() is low.
  std::uint64_t reserve_bytes = std::uint64_t{256} << 20;
  /// One call a commit, on the state thread: which groups have a new durable
  /// applied index. The host hands it to log_store::release. May be null.
  std::function<void(std::span<const durable_point>)> on_commit;
  /// On the state thread, when health() has changed. May be null.
  std::function<void(const health&)> on_health;
  fatal_handler on_fatal = stop_the_node;
};

struct state_stats {
  std::uint64_t commits = 0;
  std::uint64_t commits_failed = 0; ///< for lack of space; tried again
  std::uint64_t puts = 0;           ///< that reached LMDB
  std::uint64_t erases = 0;         ///< that reached LMDB
  std::uint64_t elided = 0; ///< keys that came and went within an interval
  std::uint64_t used_bytes = 0;
};

/// The durable state of all groups in one LMDB environment
/// (docs/formats/state.md), written behind by one thread, "troupe-state": what
/// the owner of a group puts lives in memory until the next commit, which
/// takes every group as of its last checkpoint together with the applied
/// index. After a crash the log is replayed from durable_applied().
///
/// Every method but those of a space is thread-safe; see core/state_space.hpp
/// for those. The owner's put and erase touch memory only.
class state_store {
public:
  /// Errors: newer_format, wrong_cluster, corrupt, storage_full, io_error,
  /// invalid_config.
  static core::result<std::unique_ptr<state_store>> open(state_options options);

  /// close()s.
  ~state_store();
  state_store(const state_store&) = delete;
  state_store& operator=(const state_store&) = delete;

  /// The space of `group`; lives as long as the store.
  /// REQUIRES: group < state_options::groups.
  [[nodiscard]] core::state_space& space(core::group_id group);

  /// Checkpoint a restart would begin from; 0 if there is none.
  [[nodiscard]] core::log_index durable_applied(core::group_id group) const;

  /// Bytes which wait for a commit, all groups together. Hosts refuse growing
  /// work well before state_options::backlog_bytes_max.
  [[nodiscard]] std::size_t backlog_bytes() const;

  /// Asks for a commit without waiting for the interval.
  void commit_soon();
  /// Commits every group as of its last checkpoint and returns when that is
  /// durable. Blocks: for shutdown, for snapshots and for tests.
  core::result<void> checkpoint_now();

  /// One key and its value, both valid during the call only.
  using row = std::pair<std::string_view, core::bytes_view>;

  /// Walks a whole group as of its newest durable checkpoint, ascending, and
  /// returns that checkpoint's index: for sending a snapshot to another node.
  /// `visit` must copy at memory or disk speed and not wait for a network: a
  /// read transaction stays open meanwhile. Returns false to stop early.
  core::result<core::log_index>
  export_group(core::group_id group, const std::function<bool(row)>& visit);

  using row_supply = std::function<core::result<bool>(row&)>;

  /// Replaces a whole group, all or nothing, by the rows `next` yields (in any
  /// order; false ends them, an error undoes all) as the state after `applied`.
  /// Written in pieces beside the old contents and switched over in one
  /// transaction; a crash before that leaves the old ones. Blocks the caller,
  /// not other groups. REQUIRES: the group's owner does not use the space
  /// meanwhile; what it has not committed yet is dropped.
  core::result<void> import_group(core::group_id group, core::log_index applied,
                                  const row_supply& next);

  [[nodiscard]] storage::health health() const;
  /// Looks at disk and quota now and tries a failed commit again.
  storage::health refresh_health();
  [[nodiscard]] state_stats stats() const;

  /// Commits what is checkpointed and ends the thread. Idempotent; the spaces
  /// must not be used afterwards.
  void close();

private:
  class impl;
  explicit state_store(std::unique_ptr<impl> implementation);

  std::unique_ptr<impl> impl_;
};

} // namespace troupe::storage
