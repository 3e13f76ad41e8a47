// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft_types.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace troupe::cluster::simulation {

/// Contents of the simulated state machine: a hash over all that was applied.
struct machine {
  core::log_index applied;
  std::uint64_t hash = 0;

  friend bool operator==(const machine&, const machine&) = default;
};

/// Number of a simulated command, 0 for any other entry.
[[nodiscard]] std::uint32_t command_number(const committed_entry& e);
[[nodiscard]] core::shared_bytes command_bytes(std::uint32_t number);

/// Sees everything that happens in a simulated cluster and knows what must
/// never happen. Remembers the first violation.
class oracle {
public:
  /// `node` applies `e`; advances `state`. Checks: no hole, and the same
  /// entry and the same contents as every other node at that index.
  void applies(core::node_id node, const committed_entry& e, machine& state);
  /// `node` takes over contents from a leader.
  void installs(core::node_id node, const machine& state);
  /// A client was told that the command at `index` is done.
  void acknowledges(core::log_index index, std::uint32_t number);
  /// `node` leads in `term`; checks that it is the only one.
  void leads(core::node_id node, core::term term);

  void violation(std::string text);
  [[nodiscard]] const std::optional<std::string>& violated() const {
    return violation_;
  }

  [[nodiscard]] bool is_acknowledged(std::uint32_t number) const {
    return acknowledged_.contains(number);
  }
  [[nodiscard]] std::size_t acknowledged() const {
    return acknowledged_.size();
  }
  [[nodiscard]] core::log_index newest_acknowledged() const {
    return newest_acknowledged_;
  }
  [[nodiscard]] std::size_t elections() const { return leaders_.size(); }

private:
  struct record {
    core::term term;
    std::uint32_t number = 0;
    std::uint64_t hash = 0;
    bool known = false;
    bool acknowledged = false;
  };
  record& at(core::log_index index);

  std::vector<record> records_;
  std::map<core::term, core::node_id> leaders_;
  std::unordered_set<std::uint32_t> acknowledged_;
  core::log_index newest_acknowledged_;
  std::optional<std::string> violation_;
};

} // namespace troupe::cluster::simulation
