// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/replica_log.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace troupe::test_support {

/// A node's log in memory: what is submitted waits until flush(), which makes
/// it durable at once and reports it. One thread only.
class instant_log final : public actors::replica_log {
public:
  /// Told by flush(), once for each group: its last durable write.
  std::function<void(core::group_id, std::uint64_t write)> on_durable;
  /// submit() refuses, and has_room() says so before.
  bool full = false;
  /// submit() refuses what has_room() had promised to take.
  bool stuck = false;
  bool low = false;

  core::result<void> submit(const storage::log_write& write) override {
    if (full || stuck)
      return core::errc::overloaded;
    waiting_.push_back(write);
    return {};
  }
  [[nodiscard]] bool has_room() const override { return !full; }
  void release(core::group_id group, core::log_index through) override {
    auto& entries = groups_[group].entries;
    entries.erase(entries.begin(), entries.upper_bound(through));
  }
  [[nodiscard]] bool storage_is_low() const override { return low; }
  [[nodiscard]] std::vector<storage::lagging_group> lagging() const override {
    return {};
  }

  /// Returns how many writes became durable.
  std::size_t flush() {
    const auto batch = std::exchange(waiting_, {});
    std::map<core::group_id, std::uint64_t> last;
    for (const auto& write : batch) {
      keep(write);
      last[write.group] = write.token;
    }
    for (const auto& [group, token] : last)
      on_durable(group, token);
    return batch.size();
  }
  /// What has not been flushed is gone.
  void crash() { waiting_.clear(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  /// What a start finds of a group.
  [[nodiscard]] storage::recovered_group recover(core::group_id group) const {
    storage::recovered_group found;
    found.group = group;
    const auto at = groups_.find(group);
    if (at == groups_.end())
      return found;
    found.hard_state = at->second.hard_state;
    found.snapshot_meta = at->second.snapshot_meta;
    if (!at->second.entries.empty())
      found.first = at->second.entries.begin()->first;
    for (const auto& [index, entry] : at->second.entries)
      found.entries.push_back(entry);
    return found;
  }

private:
  struct contents {
    std::optional<storage::hard_state> hard_state;
    std::optional<core::shared_bytes> snapshot_meta;
    std::map<core::log_index, storage::log_entry> entries;
  };

  void keep(const storage::log_write& write) {
    auto& group = groups_[write.group];
    if (write.hard_state)
      group.hard_state = write.hard_state;
    if (write.snapshot_meta)
      group.snapshot_meta = write.snapshot_meta;
    auto& entries = group.entries;
    if (write.replace_log)
      entries.clear();
    if (write.truncate_from)
      entries.erase(entries.lower_bound(*write.truncate_from), entries.end());
    auto index = write.first;
    for (const auto& entry : write.entries) {
      entries.insert_or_assign(index, entry);
      ++index;
    }
  }

  std::deque<storage::log_write> waiting_;
  std::map<core::group_id, contents> groups_;
};

} // namespace troupe::test_support
