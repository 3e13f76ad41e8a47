// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/replica_log.hpp"
#include "storage/log_format.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe::cluster::simulation {

/// A simulated node's log, shared by its groups, in the bytes of the real one
/// (storage/log_format.hpp). What is submitted waits; one flush at a time takes
/// it along; the world says when a flush begins and when it is done. A crash in
/// between leaves any of the sectors that were being written.
class broker_log final : public actors::replica_log {
public:
  /// Told of each group's newest write when a flush is done.
  std::function<void(core::group_id, std::uint64_t write)> on_durable;
  /// submit() refuses for a while: no segment is ready.
  bool stuck = false;
  /// The log wants its oldest segment back: groups compact.
  bool cramped = false;

  core::result<void> submit(const storage::log_write& write) override;
  [[nodiscard]] bool has_room() const override {
    return !stuck && waiting_.size() < waiting_max;
  }
  void release(core::group_id group, core::log_index through) override;
  [[nodiscard]] bool storage_is_low() const override { return false; }
  [[nodiscard]] std::vector<storage::lagging_group> lagging() const override;

  [[nodiscard]] bool wants_flush() const {
    return !flushing_ && !waiting_.empty();
  }
  void begin_flush();
  void finish_flush();

  /// Loses what waits, and of what is being written any sectors.
  void crash(std::mt19937_64& random);
  /// Reads the bytes as a start does: nothing, and why(), if they are taken
  /// for damaged.
  [[nodiscard]] bool recover();
  [[nodiscard]] const std::string& why() const { return why_; }
  /// What recover() found.
  [[nodiscard]] storage::recovered_group found(core::group_id group);
  [[nodiscard]] std::uint64_t torn() const { return torn_; }

private:
  static constexpr std::size_t waiting_max = 200;
  static constexpr std::size_t batch_bytes_max = std::size_t{256} << 10;

  std::deque<storage::log_write> waiting_;
  bool flushing_ = false;
  std::map<core::group_id, std::uint64_t> reported_; // by the flush under way
  storage::batch_encoder encoder_{batch_bytes_max * 2};
  storage::batch_sequence sequence_ = 0;
  std::vector<std::byte> disk_;
  std::size_t flushed_bytes_ = 0;
  std::map<core::group_id, core::log_index> released_;
  std::map<core::group_id, storage::recovered_group> found_;
  std::string why_;
  std::uint64_t torn_ = 0;
};

} // namespace troupe::cluster::simulation
