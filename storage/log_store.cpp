// SPDX-License-Identifier: Apache-2.0
#include "storage/log_store.hpp"

#include "storage/log_format.hpp"
#include "storage/log_ledger.hpp"
#include "storage/log_recovery.hpp"
#include "storage/named_thread.hpp"
#include "storage/segment_pool.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace troupe::storage {
namespace {

using core::errc;
using core::error;
using core::result;
using clock = std::chrono::steady_clock;

constexpr std::size_t snapshot_meta_bytes_max = std::size_t{64} << 10;
constexpr std::size_t segment_bytes_min = 16 * page_bytes;
constexpr std::size_t segment_bytes_max = std::size_t{1} << 30;

void pause_processor() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

} // namespace

class log_store::impl {
public:
  impl(file_system& files, log_options options, recovered_log&& found)
      : files_(files), options_(std::move(options)),
        write_max_(options_.segment_bytes / 3),
        carry_max_(options_.segment_bytes / 8),
        encoder_(page_bytes + batch_disk_bytes(write_max_ + carry_max_)),
        ledger_(std::move(found.ledger)), sequence_(found.last_sequence),
        segment_(found.tail), position_(found.tail_position),
        segment_bytes_(found.tail_bytes) {}

  ~impl() { stop(); }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  result<void> start(const std::vector<segment_number>& prepared) {
    auto pool = segment_pool::start(
        files_,
        {.folder = options_.folder,
         .segment_bytes = options_.segment_bytes,
         .wanted = options_.prepared_segments,
         .reserve_bytes = options_.reserve_bytes,
         .on_health = options_.on_health},
        prepared, (prepared.empty() ? segment_ : prepared.back()) + 1);
    if (!pool)
      return pool.error();
    pool_ = std::move(*pool);
    if (segment_ != 0) {
      auto tail = files_.open(options_.folder / segment_name(segment_),
                              open_mode::read_write_direct);
      if (!tail)
        return tail.error();
      file_ = std::move(*tail);
    }
    remaining_ = segment_bytes_ - position_;
    thread_ = std::thread{[this] { run(); }};
    return {};
  }

  result<void> submit(log_write&& write) {
    waiting_write item{std::move(write), 0, 0};
    item.bytes = encoded_bytes(item.write);
    if (batch_disk_bytes(item.bytes) > write_max_ ||
        (item.write.snapshot_meta &&
         item.write.snapshot_meta->size() > snapshot_meta_bytes_max))
      return error{errc::too_large,
                   "a log write of " + std::to_string(item.bytes) + " bytes"};
    std::size_t carried = 0;
    if (item.write.snapshot_meta || item.write.hard_state) {
      const std::lock_guard lock{ledger_mutex_};
      item.carry_growth = ledger_.carry_growth(item.write);
      carried = ledger_.carry_bytes();
    }
    bool wake = false;
    {
      const std::lock_guard lock{mutex_};
      if (auto refused = refuse(item, carried); !refused)
        return refused;
      queued_bytes_ += item.bytes;
      queued_carry_ += item.carry_growth;
      queue_.push_back(std::move(item));
      pending_.store(true, std::memory_order_release);
      wake = sleeping_;
    }
    if (wake)
      wake_.notify_one();
    return {};
  }

  bool has_room() const {
    const std::lock_guard lock{mutex_};
    return !failed_ && queued_bytes_ < options_.queue_bytes_max &&
           disk_bytes_for(queued_bytes_ + write_max_) <= space();
  }

  std::size_t queued_bytes() const {
    const std::lock_guard lock{mutex_};
    return queued_bytes_;
  }

  void release(core::group_id group, core::log_index through) {
    std::vector<segment_number> free;
    {
      const std::lock_guard lock{ledger_mutex_};
      ledger_.release(group, through);
      free = ledger_.take_free();
    }
    pool_->recycle(free);
  }

  std::vector<lagging_group> lagging(std::size_t segments) const {
    const std::lock_guard lock{ledger_mutex_};
    if (ledger_.live_segments() <= segments)
      return {};
    return ledger_.lagging();
  }

  segment_pool& pool() const { return *pool_; }

  log_stats stats() const {
    log_stats now;
    {
      const std::lock_guard lock{ledger_mutex_};
      now = stats_;
      now.first_segment = ledger_.oldest();
      now.last_segment = ledger_.newest();
    }
    now.segments_prepared = pool_->made();
    now.segments_recycled = pool_->recycled();
    return now;
  }

private:
  struct waiting_write {
    log_write write;
    std::size_t bytes = 0;
    std::size_t carry_growth = 0;
  };

  /// REQUIRES: mutex_ is held.
  result<void> refuse(const waiting_write& item, std::size_t carried) const {
    if (stopping_)
      return errc::shutting_down;
    if (failed_)
      return error{errc::io_error, "the log has failed"};
    if (carried + queued_carry_ + item.carry_growth > carry_max_)
      return error{errc::too_large, "snapshot records of all groups"};
    if (!item.write.entries.empty() &&
        queued_bytes_ + item.bytes > options_.queue_bytes_max + write_max_)
      return error{errc::overloaded, "the log's queue is full"};
    if (disk_bytes_for(queued_bytes_ + item.bytes) <= space())
      return {};
    const auto now = pool_->health();
    if (now.level == space_level::ok)
      return error{errc::overloaded, "the next log segment is being prepared"};
    return error{errc::storage_full, now.reason};
  }

  /// Most bytes that records of so many bytes take on disk: they are written
  /// in batches of at most write_max_, each padded to a page.
  [[nodiscard]] std::size_t disk_bytes_for(std::size_t record_bytes) const {
    return batch_disk_bytes(record_bytes) +
           (record_bytes / (write_max_ / 2) + 1) * page_bytes;
  }

  /// Bytes that can be written for certain in what is prepared: at the end of
  /// a segment up to the largest write may not fit, at the start of one are
  /// header and carried records.
  [[nodiscard]] std::size_t space() const {
    const auto usable = [this](std::size_t bytes) {
      return bytes > write_max_ ? bytes - write_max_ : 0;
    };
    return usable(remaining_.load(std::memory_order_relaxed)) +
           pool_->ready() *
               (usable(options_.segment_bytes) - carry_max_ - 2 * page_bytes);
  }

  void stop() {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
      pending_.store(true, std::memory_order_release);
    }
    wake_.notify_one();
    if (thread_.joinable())
      thread_.join();
  }

  void run() {
    name_this_thread("troupe-log");
    prefer_this_thread();
    std::vector<waiting_write> taken;
    while (wait_for_work(taken)) {
      for (std::size_t at = 0; at < taken.size() && !failed_;)
        at = write_batch(taken, at);
      taken.clear();
    }
  }

  /// False once there is nothing left to write and nothing to come.
  bool wait_for_work(std::vector<waiting_write>& taken) {
    const auto since = clock::now();
    if (spin_)
      while (!pending_.load(std::memory_order_acquire) &&
             clock::now() - since < options_.spin)
        for (int i = 0; i < 16; ++i)
          pause_processor();
    std::unique_lock lock{mutex_};
    if (queue_.empty() && !stopping_) {
      sleeping_ = true;
      wake_.wait(lock, [this] { return !queue_.empty() || stopping_; });
      sleeping_ = false;
    }
    taken.swap(queue_);
    pending_.store(stopping_, std::memory_order_relaxed);
    // Looking for work pays only when work comes soon after work.
    spin_ = clock::now() - since < 4 * options_.spin;
    return !taken.empty() || !stopping_;
  }

  /// Writes as much as fits from `at` on; returns where to go on.
  std::size_t write_batch(std::vector<waiting_write>& taken, std::size_t at) {
    const bool roll = segment_ == 0 || batch_disk_bytes(taken[at].bytes) >
                                           segment_bytes_ - position_;
    segment_header header;
    if (roll) {
      if (!open_next_segment()) {
        fail("no log segment is ready");
        return taken.size();
      }
      header = {.cluster = options_.cluster,
                .number = segment_,
                .segment_bytes = segment_bytes_,
                .first_sequence = sequence_ + 1};
    }
    encoder_.begin(segment_, sequence_ + 1, roll ? &header : nullptr);
    if (roll) {
      const std::lock_guard lock{ledger_mutex_};
      ledger_.carry(encoder_);
    }
    const auto room = segment_bytes_ - position_ - (roll ? page_bytes : 0);
    const auto carried = encoder_.record_bytes();
    auto end = at;
    for (; end < taken.size(); ++end) {
      const auto bytes = encoder_.record_bytes() + taken[end].bytes;
      if (end != at &&
          (bytes - carried > write_max_ || batch_disk_bytes(bytes) > room))
        break;
      for_each_record(taken[end].write,
                      [this](const log_record& r) { encoder_.add(r); });
    }
    const auto bytes = encoder_.finish();
    auto written = file_->write_at(bytes, position_);
    if (written)
      written = file_->sync();
    if (!written) {
      fail(written.error().detail);
      return taken.size();
    }
    ++sequence_;
    position_ += bytes.size();
    remaining_.store(segment_bytes_ - position_, std::memory_order_relaxed);
    report({taken.data() + at, end - at}, bytes.size(), roll);
    return end;
  }

  bool open_next_segment() {
    // Together, so that submit() never sees one without the other.
    const std::lock_guard lock{mutex_};
    auto next = pool_->take();
    if (!next)
      return false;
    file_ = std::move(next->file);
    segment_ = next->number;
    segment_bytes_ = options_.segment_bytes;
    position_ = 0;
    remaining_ = segment_bytes_ - carry_max_ - page_bytes;
    return true;
  }

  void report(std::span<const waiting_write> done, std::size_t disk_bytes,
              bool rolled) {
    std::size_t bytes = 0;
    std::size_t carry = 0;
    std::vector<segment_number> free;
    completions_.clear();
    {
      const std::lock_guard lock{ledger_mutex_};
      if (rolled)
        ledger_.add_segment(segment_);
      for (const auto& item : done) {
        ledger_.note(item.write);
        bytes += item.bytes;
        carry += item.carry_growth;
        completions_.push_back({item.write.group, item.write.token});
        stats_.entries += item.write.entries.size();
      }
      ++stats_.batches;
      stats_.writes += done.size();
      stats_.bytes += disk_bytes;
      if (rolled)
        free = ledger_.take_free();
    }
    pool_->recycle(free);
    {
      const std::lock_guard lock{mutex_};
      queued_bytes_ -= bytes;
      queued_carry_ -= carry;
    }
    if (options_.on_durable)
      options_.on_durable(completions_);
  }

  void fail(const std::string& what) {
    {
      const std::lock_guard lock{mutex_};
      failed_ = true;
    }
    options_.on_fatal("log: " + what);
  }

  file_system& files_;
  const log_options options_;
  const std::size_t write_max_; ///< of one write and of one batch
  const std::size_t carry_max_;
  std::unique_ptr<segment_pool> pool_;

  // The log thread's own.
  batch_encoder encoder_;
  std::vector<completion> completions_;
  bool spin_ = true;

  mutable std::mutex ledger_mutex_; ///< never held together with mutex_
  log_ledger ledger_;
  log_stats stats_;

  // The log thread's own, too; set up before it starts.
  batch_sequence sequence_;
  segment_number segment_;
  std::uint64_t position_;
  std::uint64_t segment_bytes_;
  std::unique_ptr<file> file_;
  std::atomic<std::uint64_t> remaining_{0};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<waiting_write> queue_;
  std::size_t queued_bytes_ = 0; ///< waiting or being written
  std::size_t queued_carry_ = 0;
  bool sleeping_ = false;
  bool stopping_ = false;
  std::atomic<bool> failed_{false};
  std::atomic<bool> pending_{false};
  std::thread thread_;
};

result<log_store::opened> log_store::open(file_system& files,
                                          log_options options) {
  if (options.segment_bytes < segment_bytes_min ||
      options.segment_bytes > segment_bytes_max ||
      options.segment_bytes % page_bytes != 0)
    return error{errc::invalid_config,
                 "log segment size must be whole pages, 64 KiB to 1 GiB"};
  options.prepared_segments =
      std::max<std::size_t>(options.prepared_segments, 1);
  if (auto made = files.create_folder(options.folder); !made)
    return made.error();
  auto found = recover_log(files, options.folder, options.cluster,
                           options.segment_bytes, options.keep_above);
  if (!found)
    return found.error();
  opened made;
  made.groups = std::move(found->groups);
  const auto prepared = std::move(found->prepared);
  auto implementation =
      std::make_unique<impl>(files, std::move(options), std::move(*found));
  if (auto started = implementation->start(prepared); !started)
    return started.error();
  made.store.reset(new log_store{std::move(implementation)});
  return made;
}

log_store::log_store(std::unique_ptr<impl> implementation)
    : impl_(std::move(implementation)) {}
log_store::~log_store() = default;

result<void> log_store::submit(log_write write) {
  return impl_->submit(std::move(write));
}
bool log_store::has_room() const { return impl_->has_room(); }
std::size_t log_store::queued_bytes() const { return impl_->queued_bytes(); }
void log_store::release(core::group_id group, core::log_index through) {
  impl_->release(group, through);
}
std::vector<lagging_group>
log_store::lagging_groups(std::size_t segments) const {
  return impl_->lagging(segments);
}
health log_store::health() const { return impl_->pool().health(); }
health log_store::refresh_health() { return impl_->pool().refresh(); }
log_stats log_store::stats() const { return impl_->stats(); }

} // namespace troupe::storage
