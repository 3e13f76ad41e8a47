// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <vector>

namespace troupe::cluster {

/// Who replicates a group. Voters decide, learners only receive the log. A
/// node is in at most one of the two lists. No voters: not a member yet.
struct configuration {
  static constexpr std::size_t members_max = 255;

  std::vector<core::node_id> voters;
  std::vector<core::node_id> learners;

  [[nodiscard]] bool is_voter(core::node_id node) const;
  [[nodiscard]] bool is_learner(core::node_id node) const;
  [[nodiscard]] bool contains(core::node_id node) const {
    return is_voter(node) || is_learner(node);
  }
  /// Voters needed for a decision.
  [[nodiscard]] std::size_t quorum() const { return voters.size() / 2 + 1; }
  /// True if `node` alone decides.
  [[nodiscard]] bool is_lone_voter(core::node_id node) const {
    return voters.size() == 1 && voters.front() == node;
  }
  /// Takes `node` out of both lists.
  void erase(core::node_id node);

  friend bool operator==(const configuration&, const configuration&) = default;
};

/// A configuration that can be replicated: at least one voter, no node twice,
/// no node 0, at most members_max members.
[[nodiscard]] bool is_valid(const configuration& members);
/// True if the sets of voters differ by at most one node, so that every old
/// and every new majority share a voter (Raft dissertation 4.1).
[[nodiscard]] bool is_single_step(const configuration& from,
                                  const configuration& to);

/// The bytes of a configuration entry; little-endian, see raft_wire.hpp.
[[nodiscard]] core::shared_bytes encode(const configuration& members);
/// Fails with errc::malformed unless the bytes are exactly one valid
/// configuration.
[[nodiscard]] core::result<configuration>
decode_configuration(core::bytes_view bytes);

/// Every configuration that is still in the log, ascending, above the one of
/// the snapshot. The newest counts as soon as it is appended (Raft
/// dissertation 4.1) and is forgotten again when its entry is truncated.
class configuration_history {
public:
  struct record {
    core::log_index index;
    configuration members;
  };

  /// The newest, committed or not; without members before the first one.
  [[nodiscard]] const configuration& current() const;
  /// Index of the newest, 0 if there is none.
  [[nodiscard]] core::log_index current_index() const;
  /// The one in force at `index`, nullptr if none is that old.
  [[nodiscard]] const record* at(core::log_index index) const;

  /// Takes the place of those at `index` and above.
  void append(core::log_index index, configuration members);
  /// Forgets those at `from` and above.
  void truncate(core::log_index from);
  /// Forgets those replaced at or below `through`.
  void compact(core::log_index through);
  /// Forgets all but this one.
  void reset(core::log_index index, configuration members);

private:
  std::vector<record> records_;
};

} // namespace troupe::cluster
