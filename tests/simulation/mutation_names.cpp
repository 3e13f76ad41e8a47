// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/mutation_names.hpp"

#include <array>

namespace troupe::cluster::simulation {
namespace {

struct named {
  raft_mutation mutation;
  std::string_view name;
};

constexpr std::array all{
    named{raft_mutation::none, "none"},
    named{raft_mutation::send_before_hard_state_flush,
          "send_before_hard_state_flush"},
    named{raft_mutation::acknowledge_before_flush, "acknowledge_before_flush"},
    named{raft_mutation::leader_counts_unflushed, "leader_counts_unflushed"},
    named{raft_mutation::vote_without_log_check, "vote_without_log_check"},
    named{raft_mutation::overlapping_changes, "overlapping_changes"},
    named{raft_mutation::commit_beyond_verified, "commit_beyond_verified"},
    named{raft_mutation::old_term_commit, "old_term_commit"},
    named{raft_mutation::old_term_commit_without_no_op,
          "old_term_commit_without_no_op"},
    named{raft_mutation::vote_not_persisted, "vote_not_persisted"},
    named{raft_mutation::no_configuration_rollback,
          "no_configuration_rollback"},
    named{raft_mutation::snapshot_wipes_tail, "snapshot_wipes_tail"},
    named{raft_mutation::change_before_no_op, "change_before_no_op"},
    named{raft_mutation::stale_completion_counts, "stale_completion_counts"},
    named{raft_mutation::report_stored_index, "report_stored_index"},
    named{raft_mutation::lone_voter_keeps_term, "lone_voter_keeps_term"},
    named{raft_mutation::verified_survives_term, "verified_survives_term"},
    named{raft_mutation::read_without_round, "read_without_round"},
    named{raft_mutation::apply_uncommitted, "apply_uncommitted"},
};

} // namespace

std::string_view to_string(raft_mutation m) {
  for (const auto& n : all)
    if (n.mutation == m)
      return n.name;
  return "unknown";
}

std::optional<raft_mutation> find_mutation(std::string_view name) {
  for (const auto& n : all)
    if (n.name == name)
      return n.mutation;
  return std::nullopt;
}

} // namespace troupe::cluster::simulation
