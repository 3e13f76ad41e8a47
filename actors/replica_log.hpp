// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "storage/log_store.hpp"
#include "storage/log_types.hpp"

#include <functional>
#include <utility>
#include <vector>

namespace troupe::actors {

/// What a replica needs of the node's log; between it and the log store, so
/// that actors can be tested without threads and disks. Durable writes are
/// reported to the group's actor by log_persisted. Outlives the actors.
class replica_log {
public:
  virtual ~replica_log() = default;
  virtual core::result<void> submit(const storage::log_write& write) = 0;
  [[nodiscard]] virtual bool has_room() const = 0;
  virtual void release(core::group_id group, core::log_index through) = 0;
  /// Growing work is to be refused for now: the disk of the log or of the
  /// tables is nearly full.
  [[nodiscard]] virtual bool storage_is_low() const = 0;
  [[nodiscard]] virtual std::vector<storage::lagging_group> lagging() const = 0;
};

/// What the tables' store adds to the log's own bounds.
struct tables_pressure {
  /// Its disk is nearly full.
  std::function<bool()> low;
  /// So much waits in memory for its commit that new commands had better wait
  /// in their queues, from where they hold back who sends them.
  std::function<bool()> behind;
};

/// The real one.
class stored_log final : public replica_log {
public:
  /// All of it outlives this.
  stored_log(storage::log_store& log, tables_pressure tables)
      : log_(log), tables_(std::move(tables)) {}

  core::result<void> submit(const storage::log_write& write) override {
    return log_.submit(write);
  }
  [[nodiscard]] bool has_room() const override {
    return log_.has_room() && !tables_.behind();
  }
  void release(core::group_id group, core::log_index through) override {
    log_.release(group, through);
  }
  [[nodiscard]] bool storage_is_low() const override {
    return log_.health().level != storage::space_level::ok || tables_.low();
  }
  [[nodiscard]] std::vector<storage::lagging_group> lagging() const override {
    return log_.lagging_groups();
  }

private:
  storage::log_store& log_;
  tables_pressure tables_;
};

} // namespace troupe::actors
