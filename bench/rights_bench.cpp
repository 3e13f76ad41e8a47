// SPDX-License-Identifier: Apache-2.0
// What a check of rights costs, and what a change costs the sessions.
#include "core/authorizer.hpp"
#include "core/rights_registry.hpp"
#include "schema/stored_directory.hpp"
#include "tests/support/memory_state_space.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::core;

/// A directory with one role of so many grants, and a user who has it.
struct world {
  explicit world(std::int64_t grants) {
    change_role role{"r", give_or_take::give, {}};
    for (std::int64_t i = 0; i < grants; ++i)
      role.grants.push_back(
          {right::publish,
           "area/" + std::to_string(i) + (i % 2 == 0 ? "/#" : "/%u/+")});
    apply(role);
    apply(change_account{"anna", give_or_take::give, {"r"}, {}});
  }
  void apply(const rights_command& command) {
    const auto failure =
        core::apply(store, "default", command, {}, log_index{1});
    TROUPE_ASSERT(failure.code == errc::ok, "the world of the benchmark");
    board.changed(store.totals_of_rights());
  }
  [[nodiscard]] static principal anna() {
    principal who;
    who.uid = "anna";
    who.by = credential_kind::device;
    return who;
  }

  test::memory_state_space space;
  schema::stored_directory store{space};
  rights_board board;
  system_clock clock;
  authorizer judge{store, board, clock, {anonymous_policy::deny, {}}};
};

void check_publish(benchmark::State& state) {
  world all{state.range(0)};
  session_rights session{all.judge, world::anna()};
  const auto name = *topic::parse("area/0/x/y");
  for (auto _ : state)
    benchmark::DoNotOptimize(session.check(right::publish, name));
}
BENCHMARK(check_publish)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);

void check_refused(benchmark::State& state) {
  world all{state.range(0)};
  session_rights session{all.judge, world::anna()};
  const auto name = *topic::parse("elsewhere/0/x/y");
  for (auto _ : state)
    benchmark::DoNotOptimize(session.check(right::publish, name));
}
BENCHMARK(check_refused)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);

void check_subscription(benchmark::State& state) {
  change_role role{"s", give_or_take::give, {}};
  world all{1};
  for (std::int64_t i = 0; i < state.range(0); ++i)
    role.grants.push_back(
        {right::subscribe, "area/" + std::to_string(i) + "/#"});
  all.apply(role);
  all.apply(change_account{"anna", give_or_take::give, {"s"}, {}});
  session_rights session{all.judge, world::anna()};
  // The last one, and by coverage.
  const auto wanted = *topic_filter::parse(
      "area/" + std::to_string(state.range(0) - 1) + "/+/x");
  for (auto _ : state)
    benchmark::DoNotOptimize(session.check(right::subscribe, wanted));
}
BENCHMARK(check_subscription)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);

/// One session's share of a change that does not concern it.
void first_check_after_a_change(benchmark::State& state) {
  world all{state.range(0)};
  session_rights session{all.judge, world::anna()};
  const auto name = *topic::parse("area/0/x/y");
  for (auto _ : state) {
    all.board.changed({});
    benchmark::DoNotOptimize(session.check(right::publish, name));
  }
}
BENCHMARK(first_check_after_a_change)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);

void is_blocked_without_blocks(benchmark::State& state) {
  world all{1};
  for (auto _ : state)
    benchmark::DoNotOptimize(all.judge.is_blocked("default", "anna", "bob"));
}
BENCHMARK(is_blocked_without_blocks);

void is_blocked(benchmark::State& state) {
  world all{1};
  all.apply(change_blocks{"carl", give_or_take::give, {"bob"}});
  for (auto _ : state)
    benchmark::DoNotOptimize(all.judge.is_blocked("default", "anna", "bob"));
}
BENCHMARK(is_blocked);

} // namespace

BENCHMARK_MAIN();
