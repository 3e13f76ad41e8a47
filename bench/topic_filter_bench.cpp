// SPDX-License-Identifier: Apache-2.0

// What it costs to find out who wants a topic, with filters that have nothing
// to do with it.
#include "cluster/interest_board.hpp"
#include "core/topic_filter_index.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

enum class sort { exact, one_level, prefix };

core::topic_filter unrelated(sort what, std::int64_t number) {
  const auto text = std::to_string(number);
  // As they would be: many devices below few roots.
  const auto root = "site/" + std::to_string(number % 100) + "/device/" + text;
  switch (what) {
  case sort::exact:
    return *core::topic_filter::parse(root + "/state");
  case sort::one_level:
    return *core::topic_filter::parse(root + "/+/state");
  case sort::prefix:
    return *core::topic_filter::parse(root + "/st*");
  }
  return {};
}

core::topic_filter_index filled(benchmark::State& state, sort what) {
  core::topic_filter_index index;
  for (std::int64_t i = 0; i < state.range(0); ++i)
    index.add(unrelated(what, i));
  return index;
}

void match(benchmark::State& state, const core::topic_filter_index& index,
           const char* name) {
  const auto topic = *core::topic::parse(name);
  std::vector<core::topic_filter_index::place> found;
  for (auto _ : state) {
    found.clear();
    index.match(topic, found);
    benchmark::DoNotOptimize(found.data());
  }
  state.counters["found"] = static_cast<double>(found.size());
}

void nobody_listens(benchmark::State& state, sort what) {
  match(state, filled(state, what), "site/7/device/none/temperature/state");
}

void three_listen(benchmark::State& state, sort what) {
  auto index = filled(state, what);
  for (const auto* text :
       {"site/7/door/3/open", "site/+/door/+/open", "site/7/#"})
    index.add(*core::topic_filter::parse(text));
  match(state, index, "site/7/door/3/open");
}

void add_and_remove(benchmark::State& state, sort what) {
  auto index = filled(state, what);
  const auto filter = unrelated(what, state.range(0) + 1);
  for (auto _ : state)
    index.remove(index.add(filter).first);
}

/// As a publish looks it up: this node's filters and those of two others.
void board_look_up(benchmark::State& state) {
  cluster::interest_board board{{}, 2};
  for (std::int64_t i = 0; i < state.range(0); ++i)
    static_cast<void>(
        board.hold("default", unrelated(sort::exact, i), i % 2 == 0 ? 0 : 1));
  for (std::uint32_t node = 2; node <= 3; ++node)
    board.apply(*board.open_table(core::node_id{node}),
                {{"default", "site/7/#", true}});
  const auto topic = *core::topic::parse("site/7/device/7/state");
  cluster::audience found;
  for (auto _ : state) {
    board.find("default", topic, found);
    benchmark::DoNotOptimize(found.peers.data());
  }
}

constexpr std::int64_t few = 1'000;
constexpr std::int64_t many = 1'000'000;

BENCHMARK_CAPTURE(nobody_listens, exact, sort::exact)
    ->RangeMultiplier(10)
    ->Range(few, many);
BENCHMARK_CAPTURE(nobody_listens, one_level, sort::one_level)
    ->RangeMultiplier(10)
    ->Range(few, many);
BENCHMARK_CAPTURE(nobody_listens, prefix, sort::prefix)
    ->RangeMultiplier(10)
    ->Range(few, many);
BENCHMARK_CAPTURE(three_listen, exact, sort::exact)
    ->RangeMultiplier(10)
    ->Range(few, many);
BENCHMARK_CAPTURE(three_listen, one_level, sort::one_level)
    ->RangeMultiplier(10)
    ->Range(few, many);
BENCHMARK_CAPTURE(add_and_remove, one_level, sort::one_level)
    ->RangeMultiplier(10)
    ->Range(few, many);
BENCHMARK(board_look_up)->RangeMultiplier(10)->Range(few, many);

} // namespace
} // namespace troupe

BENCHMARK_MAIN();
