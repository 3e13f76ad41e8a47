// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "storage/cluster_id.hpp"
#include "storage/fatal.hpp"
#include "storage/file_system.hpp"
#include "storage/health.hpp"
#include "storage/log_types.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace troupe::storage {

struct log_options {
  std::filesystem::path folder;
  cluster_id cluster;
  /// Size of one segment file. One log_write may encode to a third of it.
  std::size_t segment_bytes = std::size_t{64} << 20;
  /// Segments kept ready ahead of the one being written, at least 1.
  std::size_t prepared_segments = 2;
  /// has_room() is true below this many waiting bytes; submit() refuses above
  /// a third of a segment more, so that who asked first is not refused. A
  /// write without entries (a vote) is not held to it.
  std::size_t queue_bytes_max = std::size_t{64} << 20;
  /// Below this much free disk, health() is low.
  std::uint64_t reserve_bytes = std::uint64_t{512} << 20;
  /// How long the log thread looks for more work before it sleeps.
  std::chrono::microseconds spin{20};
  /// At recovery, entries at or below this index are not returned (the group
  /// no longer needs them). Null: return all.
  std::function<core::log_index(core::group_id)> keep_above;
  /// One call a batch, on the log thread: keep it short, do not block.
  std::function<void(std::span<const completion>)> on_durable;
  /// On any thread of the store, when health() has changed. May be null.
  std::function<void(const health&)> on_health;
  fatal_handler on_fatal = stop_the_node;
};

struct log_stats {
  std::uint64_t batches = 0; ///< flushes
  std::uint64_t writes = 0;  ///< log_writes made durable
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;             ///< written, padding included
  std::uint64_t segments_prepared = 0; ///< made new, not recycled
  std::uint64_t segments_recycled = 0;
  std::uint64_t first_segment = 0; ///< oldest still needed
  std::uint64_t last_segment = 0;  ///< the one being written
};

/// The replicated logs of all groups of a node in one append-only sequence of
/// segment files (docs/formats/log.md). One thread, "troupe-log", takes all
/// that waits, writes it with one sequential write, flushes once and reports
/// the whole batch; a second one, "troupe-prepare", makes and recycles segments
/// ahead of it so that a full disk is met before a write is accepted.
///
/// Writes of one group must be submitted in order (from one thread at a time);
/// all writes reach the disk in the order of submission. A failed write or
/// flush is never retried: on_fatal is called.
///
/// Every method is thread-safe. The destructor writes what was accepted,
/// reports it and joins both threads.
class log_store {
public:
  struct opened {
    std::unique_ptr<log_store> store;
    /// Ascending by group; groups of which the log knows nothing are missing.
    std::vector<recovered_group> groups;
  };

  /// Makes the folder's log or replays it up to the end of what was flushed. A
  /// batch that was being written when the node died is cut; a batch that is
  /// complete but damaged, or has batches behind it, is `corrupt` and the
  /// detail names file and offset. Further errors: wrong_cluster, newer_format,
  /// invalid_config, storage_full, io_error.
  static core::result<opened> open(file_system& files, log_options options);

  ~log_store();
  log_store(const log_store&) = delete;
  log_store& operator=(const log_store&) = delete;

  /// Queues a write. Errors, with nothing queued: overloaded (queue above its
  /// bound, or segments are not ready yet), storage_full (as overloaded, with
  /// no disk space to make more), too_large, shutting_down.
  core::result<void> submit(log_write write);

  /// Whether growing work should be started now. Callers that ask before a
  /// step, and together submit no more than a third of a segment before they
  /// ask again, are not refused with `overloaded`.
  [[nodiscard]] bool has_room() const;
  /// Bytes accepted and not yet durable.
  [[nodiscard]] std::size_t queued_bytes() const;

  /// The state of `group` is durable through `through`: its entries up to
  /// there are not needed for a restart. Lower than before is ignored.
  void release(core::group_id group, core::log_index through);

  /// Who keeps the oldest segment from being recycled; the host makes these
  /// groups commit their state. Empty unless there are more than `segments`
  /// live ones.
  [[nodiscard]] std::vector<lagging_group>
  lagging_groups(std::size_t segments = 4) const;

  /// Current room. ok returns by itself when there is space again.
  [[nodiscard]] storage::health health() const;
  /// Looks at the disk now and returns what it found (the store looks by itself
  /// once a second).
  storage::health refresh_health();

  [[nodiscard]] log_stats stats() const;

private:
  class impl;
  explicit log_store(std::unique_ptr<impl> implementation);

  std::unique_ptr<impl> impl_;
};

} // namespace troupe::storage
