// SPDX-License-Identifier: Apache-2.0
//
// storage_log_bench [--json] [seconds] [rounds] [folder]
//
// How close the shared log comes to the disk: a bare loop of one page written
// and flushed, against log_store with 1, 8, 64 and 512 writes outstanding, in
// alternating rounds of the same run; and what a put into the state costs.
// Medians of the rounds.
#include "storage/log_store.hpp"
#include "storage/named_thread.hpp"
#include "storage/state_store.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace troupe;
using steady = std::chrono::steady_clock;
using microseconds = std::chrono::duration<double, std::micro>;

constexpr std::size_t entry_bytes = 200;
constexpr std::size_t segment_bytes = std::size_t{64} << 20;

struct sample {
  double p10 = 0; ///< microseconds; on a busy machine the nearest to its disk
  double p50 = 0;
  double p99 = 0;
  double per_second = 0;
};

sample summary(std::vector<double>& latencies, double seconds) {
  if (latencies.empty())
    return {};
  std::sort(latencies.begin(), latencies.end());
  return {latencies[latencies.size() / 10], latencies[latencies.size() / 2],
          latencies[latencies.size() * 99 / 100],
          static_cast<double>(latencies.size()) / seconds};
}

double since(steady::time_point start) {
  return microseconds{steady::now() - start}.count();
}

/// pwrite + fdatasync of one page in a preallocated file, nothing else.
/// REQUIRES: a thread with the log thread's priority.
sample bare_loop_here(const std::filesystem::path& folder, double seconds,
                      int flags) {
  auto& files = storage::posix_file_system();
  const auto path = folder / "bare";
  {
    auto fresh = files.open(path, storage::open_mode::create_or_empty);
    if (!fresh || !(*fresh)->preallocate(segment_bytes) || !(*fresh)->sync())
      std::abort();
  }
  const int handle = ::open(path.c_str(), O_RDWR | flags);
  if (handle < 0)
    return {};
  auto* page = static_cast<char*>(
      std::aligned_alloc(storage::page_bytes, storage::page_bytes));
  std::memset(page, 7, storage::page_bytes);
  std::vector<double> latencies;
  off_t at = 0;
  const auto start = steady::now();
  while (since(start) < seconds * 1e6) {
    const auto before = steady::now();
    if (::pwrite(handle, page, storage::page_bytes, at) < 0 ||
        ::fdatasync(handle) != 0)
      std::abort();
    latencies.push_back(since(before));
    at = (at + static_cast<off_t>(storage::page_bytes)) %
         static_cast<off_t>(segment_bytes);
  }
  const double taken = since(start) / 1e6;
  ::close(handle);
  std::filesystem::remove(path);
  std::free(page);
  return summary(latencies, taken);
}

sample bare_loop(const std::filesystem::path& folder, double seconds,
                 int flags) {
  sample found;
  std::thread{[&] {
    storage::prefer_this_thread();
    found = bare_loop_here(folder, seconds, flags);
  }}.join();
  return found;
}

/// `depth` writes of one entry each outstanding, from one thread which looks
/// at a counter in turns, as an I/O loop with other work would.
sample log_loop(const std::filesystem::path& folder, double seconds,
                std::uint64_t depth) {
  std::filesystem::remove_all(folder / "log");
  std::atomic<std::uint64_t> durable{0};
  std::vector<steady::time_point> submitted(depth);
  std::vector<double> latencies;
  latencies.reserve(1U << 22);

  storage::log_options options;
  options.folder = folder / "log";
  options.on_durable = [&](std::span<const storage::completion> batch) {
    const auto now = steady::now();
    for (const auto& done : batch)
      latencies.push_back(
          microseconds{now - submitted[done.token % depth]}.count());
    durable.store(batch.back().token, std::memory_order_release);
  };
  auto opened = storage::log_store::open(storage::posix_file_system(), options);
  if (!opened) {
    std::fprintf(stderr, "%s\n", to_string(opened.error()).c_str());
    std::exit(1);
  }
  auto& log = *opened->store;
  (void)log.refresh_health(); // the segments are made before, not meanwhile
  const auto body = core::shared_bytes::copy_of(std::string(entry_bytes, 'x'));
  const core::group_id group{1};

  const auto start = steady::now();
  std::uint64_t token = 0;
  while (since(start) < seconds * 1e6) {
    const auto done = durable.load(std::memory_order_acquire);
    if (token - done >= depth) {
      if (depth > 1)
        std::this_thread::yield();
      continue;
    }
    ++token;
    submitted[token % depth] = steady::now();
    storage::log_write write;
    write.group = group;
    write.first = core::log_index{token};
    write.token = token;
    write.entries.push_back({core::term{1}, 0, body});
    while (!log.submit(write))
      std::this_thread::yield();
    if (token % 4096 == 0)
      log.release(group, core::log_index{done});
  }
  const double taken = since(start) / 1e6;
  opened->store.reset();
  std::filesystem::remove_all(folder / "log");
  return summary(latencies, taken);
}

/// Cost of put and of erase on the owner's thread, in nanoseconds, while the
/// state thread commits beside it.
sample state_loop(const std::filesystem::path& folder, double seconds) {
  std::filesystem::remove_all(folder / "state");
  storage::state_options options;
  options.folder = folder / "state";
  auto opened = storage::state_store::open(options);
  if (!opened) {
    std::fprintf(stderr, "%s\n", to_string(opened.error()).c_str());
    std::exit(1);
  }
  auto& space = (*opened)->space(core::group_id{1});
  const auto body = core::shared_bytes::copy_of(std::string(entry_bytes, 'x'));
  std::vector<double> latencies;
  std::uint64_t index = 0;
  constexpr std::uint64_t queues = 10'000;
  constexpr std::uint64_t lag = 500;
  const auto key_of = [](std::uint64_t i) {
    char key[32];
    std::memset(key, 0, sizeof key);
    const auto owner = i * 0x9E3779B97F4A7C15ULL % queues;
    std::snprintf(key, sizeof key, "i%010llu%012llu",
                  static_cast<unsigned long long>(owner),
                  static_cast<unsigned long long>(i));
    return std::string{key};
  };
  std::vector<std::string> keys;
  double spent = 0;
  std::uint64_t operations = 0;
  const auto start = steady::now();
  while (since(start) < seconds * 1e6) {
    keys.clear();
    for (std::uint64_t i = 0; i < 64; ++i) {
      keys.push_back(key_of(index + i));
      if (index + i >= lag)
        keys.push_back(key_of(index + i - lag));
    }
    const bool pairs = index >= lag;
    const auto before = steady::now();
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (pairs && i % 2 == 1)
        space.erase(keys[i]);
      else
        space.put(keys[i], body);
    space.checkpoint(core::log_index{index += 64});
    const double taken = since(before);
    spent += taken;
    operations += keys.size();
    latencies.push_back(taken * 1e3 / static_cast<double>(keys.size()));
  }
  opened->reset();
  std::filesystem::remove_all(folder / "state");
  auto found = summary(latencies, 1);
  found.per_second = static_cast<double>(operations) / spent * 1e6;
  return found;
}

struct row {
  std::string name;
  const char* unit;
  std::function<sample()> run;
  std::vector<sample> rounds;

  [[nodiscard]] sample median() const {
    auto sorted = rounds;
    std::sort(sorted.begin(), sorted.end(),
              [](const sample& a, const sample& b) { return a.p50 < b.p50; });
    return sorted[sorted.size() / 2];
  }
};

} // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words{argv + 1, argv + argc};
  const bool json = !words.empty() && words.front() == "--json";
  if (json)
    words.erase(words.begin());
  const double seconds = !words.empty() ? std::atof(words[0].c_str()) : 1.0;
  const int rounds = words.size() > 1 ? std::atoi(words[1].c_str()) : 5;
  const std::filesystem::path folder =
      words.size() > 2 ? words[2] : "storage_log_bench.data";
  std::filesystem::create_directories(folder);

  std::vector<row> rows;
  rows.push_back({"bare pwrite+fdatasync",
                  "us",
                  [&] { return bare_loop(folder, seconds, 0); },
                  {}});
  rows.push_back({"bare pwrite+fdatasync, O_DIRECT",
                  "us",
                  [&] { return bare_loop(folder, seconds, O_DIRECT); },
                  {}});
  for (const std::uint64_t depth : {1, 8, 64, 512})
    rows.push_back({"log_store, depth " + std::to_string(depth),
                    "us",
                    [&, depth] { return log_loop(folder, seconds, depth); },
                    {}});
  rows.push_back({"state_store, put or erase",
                  "ns",
                  [&] { return state_loop(folder, seconds); },
                  {}});
  for (int round = 0; round < rounds; ++round)
    for (auto& each : rows)
      each.rounds.push_back(each.run());
  std::filesystem::remove_all(folder);

  if (json)
    std::printf("[");
  for (const auto& each : rows) {
    const auto m = each.median();
    if (json)
      std::printf("%s\n  {\"name\": \"%s\", \"unit\": \"%s\", \"p10\": %.1f, "
                  "\"p50\": %.1f, \"p99\": %.1f, \"per_second\": %.0f}",
                  &each == rows.data() ? "" : ",", each.name.c_str(), each.unit,
                  m.p10, m.p50, m.p99, m.per_second);
    else
      std::printf("%-32s p10 %7.1f  p50 %7.1f  p99 %8.1f %s %10.0f /s\n",
                  each.name.c_str(), m.p10, m.p50, m.p99, each.unit,
                  m.per_second);
  }
  if (json)
    std::printf("\n]\n");
  else
    std::printf("depth 1 against the bare loop: p10 %.2f, p50 %.2f\n",
                rows[2].median().p10 / rows[0].median().p10,
                rows[2].median().p50 / rows[0].median().p50);
}
