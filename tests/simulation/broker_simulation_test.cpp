// SPDX-License-Identifier: Apache-2.0
//
// Bounded runs of the simulated broker; broker_simulator runs as many as
// wanted.
#include "tests/simulation/broker_chaos.hpp"
#include "tests/simulation/mutation_names.hpp"
#include "tests/simulation/replay.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

namespace troupe::cluster::simulation {
namespace {

constexpr std::uint64_t seeds_a_part = 50;

class BrokerSimulation : public testing::TestWithParam<std::uint64_t> {
protected:
  void SetUp() override {
    if (seed_to_replay())
      GTEST_SKIP() << "one seed is replayed";
  }
};

TEST_P(BrokerSimulation, ClientsSeeOneBroker) {
  broker_result sum;
  const auto first = GetParam() * seeds_a_part + 1;
  for (auto seed = first; seed < first + seeds_a_part; ++seed) {
    const auto result = run_broker(seed, {});
    ASSERT_EQ(result.violation, std::nullopt)
        << "seed " << seed << "; replay: TROUPE_TEST_SEED=" << seed
        << " broker_simulator";
    sum.add(result);
  }
  // All that can go wrong did, and the clients got on all the same.
  EXPECT_GT(sum.operations, 3000U);
  EXPECT_GT(sum.unknown, 0U);
  EXPECT_GT(sum.repeated, 0U);
  EXPECT_GT(sum.duplicates, 0U);
  EXPECT_GT(sum.elections, 2 * seeds_a_part);
  EXPECT_GT(sum.changes, 0U);
  EXPECT_GT(sum.snapshots, 0U);
  EXPECT_GT(sum.crashes, 0U);
  EXPECT_GT(sum.torn, 0U);
  EXPECT_GT(sum.clock_jumps, 0U);
  EXPECT_GT(sum.pauses, 0U);
}

INSTANTIATE_TEST_SUITE_P(Part, BrokerSimulation,
                         testing::Range<std::uint64_t>(0, 10));

TEST(BrokerReplay, TheSeedOfTheEnvironment) {
  const auto seed = seed_to_replay().value_or(1);
  EXPECT_EQ(run_broker(seed, {}).violation, std::nullopt) << "seed " << seed;
}

TEST(BrokerReplay, ASeedIsTheSameRunAgain) {
  const auto once = run_broker(7, {});
  const auto again = run_broker(7, {});
  EXPECT_EQ(once.operations, again.operations);
  EXPECT_EQ(once.repeated, again.repeated);
  EXPECT_EQ(once.elections, again.elections);
  EXPECT_EQ(once.checker_steps, again.checker_steps);
}

/// Seeds that failed once, by what they found.
struct regression {
  const char* name;
  std::uint64_t seed;
};

void PrintTo(const regression& r, std::ostream* out) { *out << r.name; }

class BrokerRegression : public testing::TestWithParam<regression> {};

TEST_P(BrokerRegression, StaysFixed) {
  broker_options o;
  o.lease = false;
  EXPECT_EQ(run_broker(GetParam().seed, o).violation, std::nullopt)
      << "seed " << GetParam().seed;
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokerRegression,
    testing::Values(regression{"clock_jump_forgets_what_was_applied", 199},
                    regression{"new_leader_stamps_before_its_log", 39},
                    regression{"repeated_counts_as_accepted", 54}),
    [](const auto& i) { return std::string{i.param.name}; });

/// What the checks must notice. `from` is a little below the first seed that
/// does, to keep the run short.
struct broker_hunt {
  broker_mutation host = broker_mutation::none;
  raft_mutation core = raft_mutation::none;
  std::uint64_t from = 1;

  [[nodiscard]] std::string name() const {
    return std::string{host == broker_mutation::none ? to_string(core)
                                                     : to_string(host)};
  }
};

void PrintTo(const broker_hunt& h, std::ostream* out) { *out << h.name(); }

class BrokerMutant : public testing::TestWithParam<broker_hunt> {};

TEST_P(BrokerMutant, IsNoticed) {
  broker_options o;
  o.host_mutation = GetParam().host;
  o.mutation = GetParam().core;
  o.lease = false;
  for (auto seed = GetParam().from; seed < GetParam().from + 40; ++seed)
    if (run_broker(seed, o).violation)
      return;
  FAIL() << "the mutant survives";
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokerMutant,
    testing::Values(
        broker_hunt{broker_mutation::reads_unconfirmed, {}, 80},
        broker_hunt{broker_mutation::reads_anywhere, {}, 1},
        broker_hunt{broker_mutation::duplicates_applied, {}, 1},
        broker_hunt{broker_mutation::snapshot_without_origins, {}, 1},
        broker_hunt{broker_mutation::origins_end_by_clock, {}, 70},
        broker_hunt{broker_mutation::unknown_taken_for_done, {}, 20000},
        broker_hunt{broker_mutation::answer_when_proposed, {}, 1},
        broker_hunt{{}, raft_mutation::apply_uncommitted, 1}),
    [](const auto& i) { return i.param.name(); });

} // namespace
} // namespace troupe::cluster::simulation
