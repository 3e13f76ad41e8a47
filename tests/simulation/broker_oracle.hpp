// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/simulation/broker_node.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::cluster::simulation {

/// Sees everything that happens to the groups of a simulated broker and knows
/// what must never happen. Remembers the first violation.
class broker_oracle {
public:
  /// The same command with the same outcome at one index on every node; no
  /// command in force twice; times that never go back.
  void applied(const broker_group& by, const committed_entry& command,
               const core::idempotency_key& key, const broker_outcome& outcome);
  /// Election safety and leader completeness (Raft 5.2, 5.4), when the group
  /// leads in a term that it did not lead in before.
  void leads(const broker_group& by);
  /// Log matching (Raft 5.3) of two replicas of one group.
  void compare_logs(const broker_group& a, const broker_group& b);
  /// Both have applied all: the same rows.
  void compare_contents(const broker_group& a, const broker_group& b);

  void appended(const core::inbox_entry& entry);
  /// Nothing expires before its time.
  void removed(core::inbox_position position, core::timestamp now);

  void violation(std::string what);
  [[nodiscard]] const std::optional<std::string>& violated() const {
    return violation_;
  }
  [[nodiscard]] std::size_t elections() const;
  [[nodiscard]] std::size_t duplicates() const { return duplicates_; }
  /// The newest index applied anywhere.
  [[nodiscard]] core::log_index newest(core::group_id group) const {
    return groups_[group.value()].newest;
  }

private:
  struct record {
    bool known = false;
    core::term term;
    std::uint32_t checksum = 0;
    core::errc outcome = core::errc::ok;
    /// It was agreed upon in this term or before.
    core::term agreed;
  };
  struct group_log {
    std::vector<record> records;
    std::map<core::term, core::node_id> leaders;
    std::set<std::pair<std::uint64_t, std::uint64_t>> in_force;
    core::log_index newest;
    core::timestamp time{};
  };

  std::array<group_log, broker_groups> groups_;
  std::map<core::inbox_position, core::timestamp> expiries_;
  std::size_t duplicates_ = 0;
  std::optional<std::string> violation_;
};

} // namespace troupe::cluster::simulation
