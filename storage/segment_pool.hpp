// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "storage/file_system.hpp"
#include "storage/health.hpp"
#include "storage/log_format.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace troupe::storage {

struct segment_pool_options {
  std::filesystem::path folder;
  std::uint64_t segment_bytes = 0;
  std::size_t wanted = 2; ///< segments to keep ready
  std::uint64_t reserve_bytes = 0;
  std::function<void(const health&)> on_health; ///< may be null
};

/// Keeps segments ready ahead of the log: takes over free ones, and makes new
/// ones of zeroes, on its own thread "troupe-prepare". A prepared segment has
/// its final name and its name is durable, so that the log may write to it at
/// once. Thread-safe.
class segment_pool {
public:
  struct segment {
    segment_number number = 0;
    std::unique_ptr<storage::file> file;
  };

  /// `prepared` are there already, ascending; `next` is the number after the
  /// last one in the folder. Returns with at least one segment ready, or says
  /// why that can't be.
  static core::result<std::unique_ptr<segment_pool>>
  start(file_system& files, segment_pool_options options,
        const std::vector<segment_number>& prepared, segment_number next);

  /// Ends the thread.
  ~segment_pool();
  segment_pool(const segment_pool&) = delete;
  segment_pool& operator=(const segment_pool&) = delete;

  /// The next segment, or nothing if none is ready. Never blocks on a disk.
  std::optional<segment> take();
  [[nodiscard]] std::size_t ready() const {
    return ready_.load(std::memory_order_acquire);
  }

  /// Hands over segments nobody needs any more, oldest first.
  void recycle(const std::vector<segment_number>& free);

  [[nodiscard]] storage::health health() const;
  /// Has the thread do all that is to be done now, and waits for it.
  storage::health refresh();

  [[nodiscard]] std::uint64_t made() const { return made_; }
  [[nodiscard]] std::uint64_t recycled() const { return recycled_; }

private:
  segment_pool(file_system& files, segment_pool_options options,
               segment_number next);

  void run();
  void round();
  core::result<void> dispose(segment_number free);
  core::result<void> make();
  core::result<void> rename_to_next(const std::filesystem::path& from);
  core::result<void> finish_admission();
  core::result<std::uint64_t> length_of(const std::filesystem::path& path);
  core::result<std::unique_ptr<file>> open_segment(segment_number number);
  [[nodiscard]] std::optional<segment_number> next_free();
  void set_health(storage::health now);

  file_system& files_;
  segment_pool_options options_;
  segment_number next_; ///< pool thread only, once it runs
  /// Renamed, but the name is not durable yet. Pool thread only.
  std::optional<segment_number> admitting_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable round_done_;
  std::deque<segment> prepared_;
  std::deque<segment_number> free_;
  storage::health health_;
  std::uint64_t rounds_asked_ = 0;
  std::uint64_t rounds_done_ = 0;
  bool work_ = false;
  bool stopping_ = false;

  std::atomic<std::size_t> ready_{0};
  std::atomic<std::uint64_t> made_{0};
  std::atomic<std::uint64_t> recycled_{0};
  std::thread thread_;
};

} // namespace troupe::storage
