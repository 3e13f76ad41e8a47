// SPDX-License-Identifier: Apache-2.0
//
// raft_explorer [--seeds N] [--from S] [--steps K] [--nodes 3|5]
//               [--mutant NAME|none] [--membership] [--snapshots] [--all]
//               [--chaos]
//
// Explores N seeds and stops at the first violation, whose seed it prints; the
// same seed and options replay it, as does TROUPE_TEST_SEED=S. --all counts
// violations instead. --chaos runs the simulator with virtual time in the place
// of the step explorer.
#include "tests/simulation/chaos.hpp"
#include "tests/simulation/explorer.hpp"
#include "tests/simulation/mutation_names.hpp"
#include "tests/simulation/replay.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace troupe::cluster::simulation;

struct arguments {
  std::uint64_t seeds = 1000;
  std::uint64_t from = 1;
  bool all = false;
  bool chaos = false;
  explorer_options options;
};

bool parse(int argc, char** argv, arguments& a) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--membership") {
      a.options.membership = true;
    } else if (name == "--snapshots") {
      a.options.snapshots = true;
    } else if (name == "--all") {
      a.all = true;
    } else if (name == "--chaos") {
      a.chaos = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (const char* value = argv[++i]; name == "--seeds") {
      a.seeds = std::strtoull(value, nullptr, 10);
    } else if (name == "--from") {
      a.from = std::strtoull(value, nullptr, 10);
    } else if (name == "--steps") {
      a.options.steps = std::atoi(value);
    } else if (name == "--nodes") {
      a.options.nodes = static_cast<std::uint32_t>(std::atoi(value));
    } else if (name == "--mutant" && find_mutation(value)) {
      a.options.mutation = *find_mutation(value);
    } else {
      return false;
    }
  }
  if (const auto seed = seed_to_replay()) {
    a.from = *seed;
    a.seeds = 1;
  }
  return a.options.nodes > 0 && a.options.steps > 0;
}

exploration run(const arguments& a, std::uint64_t seed) {
  if (!a.chaos)
    return explore(seed, a.options);
  chaos_options o;
  o.nodes = a.options.nodes;
  o.membership = a.options.membership;
  o.snapshots = a.options.snapshots;
  o.mutation = a.options.mutation;
  const auto result = run_chaos(seed, o);
  return {result.violation, 0, result.acknowledged, result.elections, 0};
}

} // namespace

int main(int argc, char** argv) {
  arguments a;
  if (!parse(argc, argv, a)) {
    std::fprintf(stderr, "raft_explorer: wrong arguments; see the source\n");
    return 2;
  }
  std::size_t acknowledged = 0;
  std::size_t elections = 0;
  std::size_t changes = 0;
  std::size_t violations = 0;
  using clock = std::chrono::steady_clock;
  auto told = clock::now();
  auto seed = a.from;
  for (; seed < a.from + a.seeds; ++seed) {
    const auto result = run(a, seed);
    acknowledged += result.acknowledged;
    elections += result.elections;
    changes += result.changes;
    if (const auto now = clock::now(); now - told > std::chrono::seconds{10}) {
      told = now;
      std::printf("%llu of %llu seeds, %zu violations\n",
                  static_cast<unsigned long long>(seed - a.from + 1),
                  static_cast<unsigned long long>(a.seeds), violations);
      std::fflush(stdout);
    }
    if (!result.violation)
      continue;
    ++violations;
    std::printf("seed %llu step %d: %s\n  replay: the same options with "
                "TROUPE_TEST_SEED=%llu\n",
                static_cast<unsigned long long>(seed), result.step,
                result.violation->c_str(),
                static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    if (!a.all)
      break;
  }
  std::printf("%s: %llu seeds, %zu acknowledged, %zu elections, %zu membership "
              "changes, %zu violations\n",
              std::string{to_string(a.options.mutation)}.c_str(),
              static_cast<unsigned long long>(seed - a.from), acknowledged,
              elections, changes, violations);
  return violations == 0 ? 0 : 1;
}
