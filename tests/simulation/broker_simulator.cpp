// SPDX-License-Identifier: Apache-2.0
//
// broker_simulator [--seeds N] [--from S] [--mutant NAME] [--all]
//
// Runs N seeds of the simulated broker, says once in a while how far it is, and
// stops at the first violation; --all counts violations instead. A mutant is
// one of the core (raft_mutation) or of the host (broker_mutation).
// TROUPE_TEST_SEED=S runs that seed alone.
#include "tests/simulation/broker_chaos.hpp"
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
  std::uint64_t seeds = 100'000;
  std::uint64_t from = 1;
  bool all = false;
  std::string mutant = "none";
  broker_options options;
};

bool parse(int argc, char** argv, arguments& a) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--all") {
      a.all = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (const char* value = argv[++i]; name == "--seeds") {
      a.seeds = std::strtoull(value, nullptr, 10);
    } else if (name == "--from") {
      a.from = std::strtoull(value, nullptr, 10);
    } else if (name == "--mutant") {
      a.mutant = value;
      if (const auto core = find_mutation(value))
        a.options.mutation = *core;
      else if (const auto host = find_broker_mutation(value))
        a.options.host_mutation = *host;
      else
        return false;
    } else {
      return false;
    }
  }
  if (const auto seed = seed_to_replay()) {
    a.from = *seed;
    a.seeds = 1;
  }
  return true;
}

void print(const char* what, const broker_result& r) {
  std::printf("%s: %zu operations answered, %zu of unknown outcome, %zu "
              "repeated, %zu duplicates met; %zu elections, %zu membership "
              "changes, %zu snapshots, %zu crashes, %zu torn batches, %zu "
              "clock jumps, %zu pauses\n",
              what, r.operations, r.unknown, r.repeated, r.duplicates,
              r.elections, r.changes, r.snapshots, r.crashes, r.torn,
              r.clock_jumps, r.pauses);
}

} // namespace

int main(int argc, char** argv) {
  arguments a;
  if (!parse(argc, argv, a)) {
    std::fprintf(stderr, "broker_simulator: wrong arguments; see the source\n");
    return 2;
  }
  using clock = std::chrono::steady_clock;
  const auto begun = clock::now();
  auto told = begun;
  broker_result sum;
  std::size_t violations = 0;
  std::uint64_t done = 0;
  for (auto seed = a.from; seed < a.from + a.seeds; ++seed) {
    const auto result = run_broker(seed, a.options);
    sum.add(result);
    ++done;
    if (result.violation) {
      ++violations;
      std::printf("seed %llu: %s\n  replay: TROUPE_TEST_SEED=%llu %s%s%s\n",
                  static_cast<unsigned long long>(seed),
                  result.violation->c_str(),
                  static_cast<unsigned long long>(seed), argv[0],
                  a.mutant == "none" ? "" : " --mutant ",
                  a.mutant == "none" ? "" : a.mutant.c_str());
      std::fflush(stdout);
      if (!a.all)
        break;
    }
    if (const auto now = clock::now(); now - told > std::chrono::seconds{10}) {
      told = now;
      const std::chrono::duration<double> took = now - begun;
      std::printf("%llu of %llu seeds, %.0f a second, %zu violations\n",
                  static_cast<unsigned long long>(done),
                  static_cast<unsigned long long>(a.seeds),
                  static_cast<double>(done) / took.count(), violations);
      std::fflush(stdout);
    }
  }
  print(a.mutant.c_str(), sum);
  std::printf("%llu seeds, %zu violations\n",
              static_cast<unsigned long long>(done), violations);
  return violations == 0 ? 0 : 1;
}
