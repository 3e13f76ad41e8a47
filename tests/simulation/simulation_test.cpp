// SPDX-License-Identifier: Apache-2.0
//
// Bounded runs of both simulators; raft_explorer runs as many as wanted.
#include "tests/simulation/chaos.hpp"
#include "tests/simulation/explorer.hpp"
#include "tests/simulation/mutation_names.hpp"
#include "tests/simulation/replay.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>

namespace troupe::cluster::simulation {
namespace {

struct setting {
  const char* name;
  std::uint32_t nodes;
  bool membership;
  bool snapshots;
};

void PrintTo(const setting& s, std::ostream* out) { *out << s.name; }

class Simulation : public testing::TestWithParam<setting> {};

TEST_P(Simulation, NoScheduleBreaksTheRules) {
  const auto& s = GetParam();
  explorer_options o;
  o.nodes = s.nodes;
  o.membership = s.membership;
  o.snapshots = s.snapshots;
  std::string why;
  const auto only = seed_to_replay();
  EXPECT_EQ(first_failing_seed(only.value_or(1), only ? 1 : 150, o, &why),
            std::nullopt)
      << why << "; replay with TROUPE_TEST_SEED and this test alone";
}

TEST_P(Simulation, EverythingAcknowledgedIsEverywhereAfterHealing) {
  const auto& s = GetParam();
  chaos_options o;
  o.nodes = s.nodes;
  o.membership = s.membership;
  o.snapshots = s.snapshots;
  o.duration = core::milliseconds{4000};
  std::size_t acknowledged = 0;
  std::size_t reads = 0;
  if (const auto seed = seed_to_replay()) {
    EXPECT_EQ(run_chaos(*seed, o).violation, std::nullopt) << "seed " << *seed;
    return;
  }
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto result = run_chaos(seed, o);
    ASSERT_EQ(result.violation, std::nullopt)
        << "seed " << seed << "; replay with TROUPE_TEST_SEED=" << seed
        << " and this test alone";
    acknowledged += result.acknowledged;
    reads += result.reads;
  }
  EXPECT_GT(acknowledged, 1000U);
  EXPECT_GT(reads, 30U);
}

INSTANTIATE_TEST_SUITE_P(
    All, Simulation,
    testing::Values(setting{"three", 3, false, false},
                    setting{"three_snapshots", 3, false, true},
                    setting{"three_everything", 3, true, true},
                    setting{"five", 5, false, false},
                    setting{"five_membership", 5, true, false},
                    setting{"five_everything", 5, true, true}),
    [](const auto& i) { return std::string{i.param.name}; });

/// A mutant that random schedules kill, and where. The others need a scenario
/// of their own: tests/cluster/raft_counterexample_test.cpp. `from` is a little
/// below the first seed that does, to keep the run short.
struct hunt {
  raft_mutation mutant;
  std::uint64_t from;
  bool membership;
};

void PrintTo(const hunt& h, std::ostream* out) { *out << to_string(h.mutant); }

class Mutant : public testing::TestWithParam<hunt> {};

TEST_P(Mutant, IsKilledByRandomSchedules) {
  explorer_options o;
  o.mutation = GetParam().mutant;
  o.membership = GetParam().membership;
  o.lease = false;
  EXPECT_NE(first_failing_seed(GetParam().from, 150, o), std::nullopt)
      << "the mutant survives";
}

INSTANTIATE_TEST_SUITE_P(
    All, Mutant,
    testing::Values(hunt{raft_mutation::send_before_hard_state_flush, 430,
                         false},
                    hunt{raft_mutation::acknowledge_before_flush, 1, false},
                    hunt{raft_mutation::leader_counts_unflushed, 160, false},
                    hunt{raft_mutation::vote_without_log_check, 1, false},
                    hunt{raft_mutation::overlapping_changes, 20, true},
                    hunt{raft_mutation::commit_beyond_verified, 70, false},
                    hunt{raft_mutation::report_stored_index, 150, false},
                    hunt{raft_mutation::lone_voter_keeps_term, 1, true},
                    hunt{raft_mutation::apply_uncommitted, 1, false}),
    [](const auto& i) { return std::string{to_string(i.param.mutant)}; });

} // namespace
} // namespace troupe::cluster::simulation
