// SPDX-License-Identifier: Apache-2.0
// What the audit costs who does something: with it and without, and what an
// answer waits for.
#include "core/audit.hpp"
#include "storage/audit/recorder.hpp"
#include "storage/file_system.hpp"

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace {

using namespace troupe;
namespace audit = storage::audit;

core::system_clock time_source;

/// Where the bench runs, as what is flushed must have a disk below.
class bench_folder {
public:
  bench_folder() {
    std::string pattern = "audit-bench-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~bench_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  bench_folder(const bench_folder&) = delete;
  bench_folder& operator=(const bench_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

std::unique_ptr<audit::recorder> open(const bench_folder& folder,
                                      audit::answer_policy answers,
                                      audit::payload_policy payload) {
  audit::recorder_options options;
  options.files.folder = folder.path();
  options.answers = answers;
  options.payload = payload;
  options.queue_bytes_max = std::size_t{1} << 30U;
  options.files.keep_bytes = std::uint64_t{256} << 20U;
  auto made = audit::recorder::open(storage::posix_file_system(), time_source,
                                    std::move(options));
  TROUPE_ASSERT(made, "no audit log");
  return std::move(*made);
}

core::audit_entry entry_of(const core::shared_bytes& payload) {
  core::audit_entry what;
  what.session = 7;
  what.realm = "default";
  what.user = "alice";
  what.address = "192.0.2.7";
  what.target = "bob";
  what.targets = 1;
  what.type = "post";
  what.reference = "1700000000000-17";
  what.size = payload.size();
  what.payload = payload;
  return what;
}

/// As a door does it.
void record_if_on(core::audit_sink* sink, const core::shared_bytes& payload) {
  if (sink != nullptr)
    benchmark::DoNotOptimize(sink->record(entry_of(payload)));
}

void off(benchmark::State& state) {
  const auto payload = core::shared_bytes::copy_of(std::string(128, 'x'));
  core::audit_sink* sink = nullptr;
  for (auto _ : state) {
    benchmark::DoNotOptimize(sink);
    record_if_on(sink, payload);
  }
}
BENCHMARK(off);

/// The time of who records; the writer runs beside it. Dropped records show
/// that it did not keep up.
void on(benchmark::State& state) {
  const bench_folder folder;
  const auto log = open(folder, audit::answer_policy::at_once,
                        state.range(1) == 0 ? audit::payload_policy::none
                                            : audit::payload_policy::hash);
  const auto payload = core::shared_bytes::copy_of(
      std::string(static_cast<std::size_t>(state.range(0)), 'x'));
  for (auto _ : state)
    record_if_on(log.get(), payload);
  state.SetItemsProcessed(state.iterations());
  state.counters["dropped"] = static_cast<double>(log->stats().dropped);
  log->stop();
}
BENCHMARK(on)
    ->ArgNames({"bytes", "hash"})
    ->Args({128, 0})
    ->Args({128, 1})
    ->Args({4096, 1})
    ->UseRealTime();

/// What one answer waits for, or each of so many that wait together.
void answer(benchmark::State& state, audit::answer_policy answers) {
  const bench_folder folder;
  const auto log = open(folder, answers, audit::payload_policy::hash);
  const auto payload = core::shared_bytes::copy_of(std::string(128, 'x'));
  for (auto _ : state) {
    core::audit_ticket last = 0;
    for (std::int64_t i = 0; i < state.range(0); ++i)
      last = log->record(entry_of(payload));
    std::atomic<bool> kept{false};
    log->when_kept(last, [&] {
      kept.store(true);
      kept.notify_one();
    });
    kept.wait(false);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(answer, written, audit::answer_policy::written)
    ->Arg(1)
    ->Arg(100)
    ->UseRealTime();
BENCHMARK_CAPTURE(answer, synced, audit::answer_policy::synced)
    ->Arg(1)
    ->Arg(100)
    ->UseRealTime();

} // namespace

BENCHMARK_MAIN();
