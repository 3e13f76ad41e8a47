// SPDX-License-Identifier: Apache-2.0
#include "schema/command_wire.hpp"
#include "schema/record_wire.hpp"
#include "schema/stored_directory.hpp"
#include "schema/stored_inboxes.hpp"
#include "tests/support/memory_state_space.hpp"
#include "tests/support/sample_commands.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <utility>

/// What a command and a record cost on their way to bytes and back. The first
/// argument is the size of the payload, the second the number of recipients.
namespace {

using namespace troupe;

core::logged_shard_command make_post(std::size_t payload,
                                     std::size_t recipients) {
  auto post = test::small_post();
  post.message.payload = core::shared_bytes::copy_of(std::string(payload, 'x'));
  post.to.clear();
  for (std::size_t i = 0; i < recipients; ++i)
    post.to.push_back({"user" + std::to_string(i), false, false, {}});
  return {{1, 2}, core::from_millis(3), std::move(post)};
}

core::logged_shard_command make_post(const benchmark::State& state) {
  return make_post(static_cast<std::size_t>(state.range(0)),
                   static_cast<std::size_t>(state.range(1)));
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->Args({100, 1})->Args({100, 10})->Args({100, 1000})->Args({1 << 20, 1});
}

void encode_append(benchmark::State& state) {
  const auto command = make_post(state);
  for (auto _ : state)
    benchmark::DoNotOptimize(schema::encode(command));
}
BENCHMARK(encode_append)->Apply(shapes);

void decode_append(benchmark::State& state) {
  const auto bytes = schema::encode(make_post(state));
  for (auto _ : state)
    benchmark::DoNotOptimize(schema::decode_shard_command(bytes));
}
BENCHMARK(decode_append)->Apply(shapes);

void decode_the_message_only(benchmark::State& state) {
  const auto bytes = schema::encode(make_post(state));
  for (auto _ : state)
    benchmark::DoNotOptimize(schema::decode_message(bytes, core::group_id{1},
                                                    core::log_index{1}, 0));
}
BENCHMARK(decode_the_message_only)->Apply(shapes);

void encode_entry(benchmark::State& state) {
  const core::inbox_entry entry{{}, core::log_index{1}, 0, false, {}, {}, 164};
  for (auto _ : state)
    benchmark::DoNotOptimize(schema::encode_record(entry));
}
BENCHMARK(encode_entry);

core::inbox_head head_of_two_devices() {
  core::inbox_head head;
  head.cursors.resize(2);
  head.cursors[1].device = core::device_offset{1};
  return head;
}

void encode_head(benchmark::State& state) {
  const auto head = head_of_two_devices();
  for (auto _ : state)
    benchmark::DoNotOptimize(schema::encode_record(head));
}
BENCHMARK(encode_head);

void decode_head(benchmark::State& state) {
  const auto bytes = schema::encode_record(head_of_two_devices());
  for (auto _ : state) {
    core::inbox_head head;
    benchmark::DoNotOptimize(schema::decode_record(bytes.view(), head));
    benchmark::DoNotOptimize(head);
  }
}
BENCHMARK(decode_head);

/// A look-up as a login makes it, among many users.
void find_user(benchmark::State& state) {
  test::memory_state_space space;
  schema::stored_directory directory{space};
  const auto users = static_cast<std::size_t>(state.range(0));
  for (std::size_t i = 0; i < users; ++i)
    directory.put_user("default", "user" + std::to_string(i),
                       {{}, {{core::device_offset{0}, "n0", {}, {}}}, {"a"}});
  std::size_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(
        directory.user("default", "user" + std::to_string(i++ % users)));
}
BENCHMARK(find_user)->Arg(1000)->Arg(100'000);

} // namespace

BENCHMARK_MAIN();
