// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/snapshot_storage.hpp"
#include "core/result.hpp"
#include "storage/file_system.hpp"
#include "storage/snapshot_spool.hpp"
#include "storage/state_store.hpp"
#include "storage/task_thread.hpp"

#include <filesystem>
#include <memory>

namespace troupe::actors {

/// A node's part in sending and receiving snapshots: the folder, the thread
/// ("troupe-spool") and what the groups ask of them. Owned by the node: made
/// after the state store, stopped when the groups' actors have ended, and
/// destroyed before the store.
class snapshot_service {
public:
  /// `post` runs a function on the loop of a group's actor (group_task); it
  /// is called on the thread. Errors: those of snapshot_spool::open.
  static core::result<std::unique_ptr<snapshot_service>>
  open(storage::file_system& files, const std::filesystem::path& folder,
       storage::state_store& tables, snapshot_storage::poster post,
       snapshot_storage::limits bounds);

  [[nodiscard]] snapshot_storage& storage() { return storage_; }
  /// Ends the thread; what waits is dropped, and nothing is posted any more.
  void stop() { thread_.stop(); }

private:
  snapshot_service(std::unique_ptr<storage::snapshot_spool> spool,
                   storage::state_store& tables, snapshot_storage::poster post,
                   snapshot_storage::limits bounds);

  std::unique_ptr<storage::snapshot_spool> spool_;
  stored_tables tables_;
  snapshot_storage storage_;
  storage::task_thread thread_;
};

} // namespace troupe::actors
