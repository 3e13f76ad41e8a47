// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "storage/snapshot_spool.hpp"
#include "storage/state_store.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace troupe::actors {

/// The tables of all groups as a whole; between snapshots and the state store,
/// so that both can be tested without the other. Every call blocks.
class group_tables {
public:
  virtual ~group_tables() = default;
  /// state_store::export_group
  virtual core::result<core::log_index>
  export_group(core::group_id group,
               const storage::snapshot_spool::row_visitor& visit) = 0;
  /// state_store::import_group
  virtual core::result<void>
  import_group(core::group_id group, core::log_index applied,
               const storage::state_store::row_supply& next) = 0;
};

/// The real ones.
class stored_tables final : public group_tables {
public:
  /// `store` outlives this.
  explicit stored_tables(storage::state_store& store) : store_(store) {}
  core::result<core::log_index>
  export_group(core::group_id group,
               const storage::snapshot_spool::row_visitor& visit) override {
    return store_.export_group(group, visit);
  }
  core::result<void>
  import_group(core::group_id group, core::log_index applied,
               const storage::state_store::row_supply& next) override {
    return store_.import_group(group, applied, next);
  }

private:
  storage::state_store& store_;
};

/// What a snapshot asks of disk and tables, away from the loops. Each verb
/// queues a piece of work; `then` is run on the loop of the group's actor when
/// it is done, or never if that actor has ended. Owned by the node, outlives
/// the actors; used on every loop.
class snapshot_storage {
public:
  /// Runs work elsewhere, one piece after the other; false if too much waits.
  using executor = std::function<bool(std::function<void()>)>;
  /// Runs a function on the loop of a group's actor (group_task).
  using poster = std::function<void(core::group_id, std::function<void()>)>;
  struct limits {
    /// Snapshots on their way at once, from this node and to it.
    unsigned sending = 2;
    unsigned receiving = 2;
  };
  template <class T>
  using then_function = std::function<void(core::result<T>)>;

  /// `spool` and `tables` are used by the executor's thread alone from now on.
  snapshot_storage(storage::snapshot_spool& spool, group_tables& tables,
                   executor execute, poster post, limits bounds);

  /// A place among the bounded transfers; false if all are taken.
  bool begin_sending() { return take(sending_, limits_.sending); }
  void end_sending() { --sending_; }
  bool begin_receiving() { return take(receiving_, limits_.receiving); }
  void end_receiving() { --receiving_; }

  [[nodiscard]] storage::spool_id fresh_id() { return ++last_id_; }

  /// Errors of all: overloaded, and those of the spool.
  void write(core::group_id group, storage::spool_id id,
             then_function<storage::spool_summary> then);
  void read(core::group_id group, storage::spool_id id, std::uint64_t offset,
            std::size_t size, then_function<core::shared_bytes> then);
  void append(core::group_id group, storage::spool_id id, std::uint64_t offset,
              core::shared_bytes bytes, then_function<void> then);
  void check(core::group_id group, storage::spool_id id,
             storage::spool_summary expected, then_function<void> then);
  /// Puts the rows of a checked file, and one row more, in the place of the
  /// group's tables: all or nothing, and durably.
  void install(core::group_id group, storage::spool_id id,
               storage::spool_summary expected,
               std::pair<std::string, core::shared_bytes> extra,
               then_function<void> then);
  void remove(storage::spool_id id);

private:
  template <class T, class Work>
  void run(core::group_id group, Work work, then_function<T> then);
  core::result<void>
  install_now(core::group_id group, storage::spool_id id,
              const storage::spool_summary& expected,
              const std::pair<std::string, core::shared_bytes>& extra);
  static bool take(std::atomic<unsigned>& used, unsigned limit);

  storage::snapshot_spool& spool_;
  group_tables& tables_;
  executor execute_;
  poster post_;
  const limits limits_;
  std::atomic<unsigned> sending_{0};
  std::atomic<unsigned> receiving_{0};
  std::atomic<storage::spool_id> last_id_{0};
};

} // namespace troupe::actors
