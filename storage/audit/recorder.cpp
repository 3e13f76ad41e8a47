// SPDX-License-Identifier: Apache-2.0
#include "storage/audit/recorder.hpp"

#include "storage/named_thread.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace troupe::storage::audit {
namespace {

using core::audit_entry;
using core::audit_ticket;
using core::errc;
using core::result;
using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds retry_after{1};
constexpr std::chrono::seconds trim_interval{10};
/// A disk that is full when the node stops is tried so often again.
constexpr int retries_at_end = 3;

constexpr std::array entry_texts{&audit_entry::realm,     &audit_entry::user,
                                 &audit_entry::address,   &audit_entry::target,
                                 &audit_entry::type,      &audit_entry::reason,
                                 &audit_entry::reference, &audit_entry::detail};
constexpr std::array record_texts{
    &record::realm, &record::user,   &record::address,   &record::target,
    &record::type,  &record::reason, &record::reference, &record::detail};
static_assert(entry_texts.size() == record_texts.size());

/// A record that waits; its texts are in the queue's arena, one behind the
/// other.
struct waiting_record {
  core::timestamp time{};
  std::uint64_t session = 0;
  std::uint64_t size = 0;
  std::uint32_t targets = 0;
  core::audit_kind kind{};
  bool accepted = true;
  std::array<std::uint16_t, entry_texts.size()> lengths{};
  core::shared_bytes payload;
};

/// Both are used in turns, so that nothing is allocated in the long run.
struct record_queue {
  std::vector<waiting_record> records;
  std::string texts;
  std::size_t bytes = 0;
  std::uint64_t dropped = 0; ///< behind the last of them
  audit_ticket last_ticket = 0;

  void clear() {
    records.clear();
    texts.clear();
    bytes = 0;
    dropped = 0;
  }
};

} // namespace

class recorder::impl {
public:
  impl(std::unique_ptr<writer> to, const core::clock& time,
       recorder_options options)
      : writer_(std::move(to)), clock_(time), options_(std::move(options)),
        queue_max_(options_.overflow == overflow_policy::refuse
                       ? 2 * options_.queue_bytes_max
                       : options_.queue_bytes_max) {
    view_.node = options_.files.node;
    publish_view();
  }
  ~impl() { stop(); }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  void start() {
    thread_ = std::thread{[this] { run(); }};
  }

  bool has_room() const noexcept {
    return options_.overflow == overflow_policy::drop ||
           queued_bytes_.load(std::memory_order_relaxed) <
               options_.queue_bytes_max;
  }

  audit_ticket record(const audit_entry& what) {
    if (!wants(what))
      return 0;
    waiting_record fresh;
    fresh.time = clock_.wall();
    fresh.session = what.session;
    fresh.size = what.size;
    fresh.targets = what.targets;
    fresh.kind = what.kind;
    fresh.accepted = what.accepted;
    std::array<std::string_view, entry_texts.size()> texts;
    std::size_t weight = sizeof fresh;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      texts[i] = fitting(what.*entry_texts[i]);
      fresh.lengths[i] = static_cast<std::uint16_t>(texts[i].size());
      weight += texts[i].size();
    }
    if (options_.payload != payload_policy::none) {
      fresh.payload = what.payload;
      weight += fresh.payload.owner_size();
    }
    bool wake = false;
    audit_ticket ticket = 0;
    {
      const std::lock_guard lock{mutex_};
      const auto before = queued_bytes_.load(std::memory_order_relaxed);
      // An empty queue takes anything.
      if (stopping_ || failed_ ||
          (before != 0 && before + weight > queue_max_)) {
        ++queue_.dropped;
        dropped_.fetch_add(1, std::memory_order_relaxed);
        return 0;
      }
      for (const auto text : texts)
        queue_.texts += text;
      queue_.records.push_back(std::move(fresh));
      queue_.bytes += weight;
      queue_.last_ticket = ticket = ++tickets_;
      queued_bytes_.store(before + weight, std::memory_order_relaxed);
      wake = std::exchange(sleeping_, false);
    }
    if (wake)
      wake_.notify_one();
    return ticket;
  }

  bool is_kept(audit_ticket ticket) const noexcept {
    return options_.answers == answer_policy::at_once ||
           ticket <= kept_.load(std::memory_order_acquire) || goes_without();
  }

  void when_kept(audit_ticket ticket, std::function<void()> then) {
    {
      const std::lock_guard lock{mutex_};
      if (!is_kept(ticket)) {
        waiters_.emplace_back(ticket, std::move(then));
        return;
      }
    }
    then();
  }

  void stop() {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
      sleeping_ = false;
    }
    wake_.notify_one();
    if (thread_.joinable())
      thread_.join();
    const std::lock_guard lock{mutex_};
    waiters_.clear();
  }

  recorder_stats stats() const {
    recorder_stats now;
    now.records = records_.load(std::memory_order_relaxed);
    now.dropped = dropped_.load(std::memory_order_relaxed);
    now.bytes = bytes_.load(std::memory_order_relaxed);
    now.flushes = flushes_.load(std::memory_order_relaxed);
    now.segments_removed = removed_.load(std::memory_order_relaxed);
    now.queued_bytes = queued_bytes_.load(std::memory_order_relaxed);
    now.stuck = stuck_.load(std::memory_order_relaxed);
    const std::lock_guard lock{mutex_};
    now.queued_records = queue_.records.size() + being_written_;
    const auto oldest = being_written_ != 0      ? oldest_written_
                        : queue_.records.empty() ? core::timestamp::max()
                                                 : queue_.records.front().time;
    now.lag = std::max(core::milliseconds{0}, clock_.wall() > oldest
                                                  ? clock_.wall() - oldest
                                                  : core::milliseconds{0});
    return now;
  }

  log_view view() const {
    const std::lock_guard lock{mutex_};
    return view_;
  }

  /// Before the thread begins: how the last one ended.
  result<void> write_opening() {
    storage::audit::record note;
    note.kind = core::audit_kind::opened;
    note.time = clock_.wall();
    const auto& ending = writer_->ending();
    note.type = ending.clean ? "clean" : "after-crash";
    note.size = ending.cut_bytes;
    if (auto done = writer_->append(note); !done)
      return done;
    if (auto done = writer_->sync(); !done)
      return done;
    records_.fetch_add(1, std::memory_order_relaxed);
    publish_view();
    return {};
  }

private:
  [[nodiscard]] bool wants(const audit_entry& what) const noexcept {
    if (options_.messages == message_policy::all ||
        (what.kind != core::audit_kind::post &&
         what.kind != core::audit_kind::publish))
      return true;
    return options_.messages == message_policy::refused && !what.accepted;
  }

  /// A node that would rather lose records than stop answering does not wait
  /// for a full disk.
  [[nodiscard]] bool goes_without() const noexcept {
    return options_.overflow == overflow_policy::drop &&
           stuck_.load(std::memory_order_acquire);
  }

  void run() {
    name_this_thread("troupe-audit");
    record_queue taken;
    auto trim_due = clock::now();
    for (;;) {
      const bool more = take(taken, trim_due);
      write_all(taken);
      if (clock::now() >= sync_due_ && writer_->unsynced() && !failed_)
        sync();
      if (clock::now() >= trim_due && !failed_) {
        trim_due = clock::now() + trim_interval;
        trim();
      }
      if (!more)
        break;
    }
    if (!failed_)
      close();
  }

  /// Waits for work or the next date; false once there is nothing to come.
  bool take(record_queue& taken, clock::time_point trim_due) {
    taken.clear();
    std::unique_lock lock{mutex_};
    const auto has_work = [this] {
      return stopping_ || !queue_.records.empty() || queue_.dropped != 0;
    };
    if (!has_work()) {
      sleeping_ = true;
      const auto until =
          writer_->unsynced() ? std::min(sync_due_, trim_due) : trim_due;
      wake_.wait_until(lock, until, has_work);
      sleeping_ = false;
    }
    std::swap(taken, queue_);
    being_written_ = taken.records.size();
    if (being_written_ != 0)
      oldest_written_ = taken.records.front().time;
    return !stopping_ || !taken.records.empty();
  }

  void write_all(const record_queue& taken) {
    if (taken.records.empty() && taken.dropped == 0)
      return;
    std::size_t text_at = 0;
    for (const auto& each : taken.records)
      write_one(each, taken.texts, text_at);
    if (taken.dropped != 0) {
      storage::audit::record note;
      note.kind = core::audit_kind::dropped;
      note.time = clock_.wall();
      note.size = taken.dropped;
      append(note);
    }
    const bool was_synced = !writer_->unsynced();
    attempt([this] { return writer_->flush(); });
    if (options_.answers == answer_policy::synced)
      sync();
    else if (was_synced)
      sync_due_ = clock::now() + options_.sync_interval;
    finish(taken);
  }

  void write_one(const waiting_record& from, const std::string& texts,
                 std::size_t& text_at) {
    storage::audit::record what;
    what.time = from.time;
    what.kind = from.kind;
    what.accepted = from.accepted;
    what.session = from.session;
    what.size = from.size;
    what.targets = from.targets;
    for (std::size_t i = 0; i < record_texts.size(); ++i) {
      what.*record_texts[i] =
          std::string_view{texts}.substr(text_at, from.lengths[i]);
      text_at += from.lengths[i];
    }
    if (options_.payload != payload_policy::none && from.size != 0 &&
        from.payload.size() == from.size) {
      what.hash = hasher_.of(from.payload.view());
      if (options_.payload == payload_policy::full &&
          from.payload.size() <= options_.payload_max)
        what.payload = from.payload.view();
    }
    append(what);
    if (writer_->is_full())
      attempt([this] { return writer_->flush(); });
  }

  void append(const storage::audit::record& what) {
    if (attempt([&] { return writer_->append(what); }))
      records_.fetch_add(1, std::memory_order_relaxed);
  }

  void sync() {
    if (attempt([this] { return writer_->sync(); }))
      flushes_.fetch_add(1, std::memory_order_relaxed);
    sync_due_ = clock::now() + options_.sync_interval;
  }

  void trim() {
    std::size_t removed = 0;
    const bool done = attempt([&]() -> result<void> {
      auto gone = writer_->trim(clock_.wall());
      if (!gone)
        return gone.error();
      removed = *gone;
      return writer_->flush();
    });
    if (!done || removed == 0)
      return;
    records_.fetch_add(1, std::memory_order_relaxed);
    removed_.fetch_add(removed, std::memory_order_relaxed);
    publish_view();
  }

  void close() {
    storage::audit::record note;
    note.kind = core::audit_kind::closed;
    note.time = clock_.wall();
    append(note);
    sync();
    publish_view();
  }

  /// Tries until there is room on the disk. False: given up.
  template <class Work>
  bool attempt(Work&& work) {
    for (int tries = 1;; ++tries) {
      if (failed_)
        return false;
      const auto done = work();
      if (done) {
        if (stuck_.exchange(false, std::memory_order_relaxed))
          news("info", "goes on: there is room on the disk again");
        return true;
      }
      if (done.error().code != errc::storage_full) {
        fail(done.error().detail);
        return false;
      }
      if (!stuck_.exchange(true, std::memory_order_acq_rel)) {
        news("error", "waits for room on the disk: " + done.error().detail);
        if (goes_without())
          release(std::numeric_limits<audit_ticket>::max());
      }
      std::unique_lock lock{mutex_};
      if (stopping_ && tries >= retries_at_end) {
        failed_ = true; // what is left is lost with the process
        return false;
      }
      wake_.wait_for(lock, retry_after);
    }
  }

  void fail(const std::string& what) {
    {
      const std::lock_guard lock{mutex_};
      failed_ = true;
    }
    options_.on_fatal("audit: " + what);
  }

  void news(std::string_view level, const std::string& text) const {
    if (options_.on_news)
      options_.on_news(level, text);
  }

  void finish(const record_queue& taken) {
    publish_view();
    {
      const std::lock_guard lock{mutex_};
      being_written_ = 0;
      queued_bytes_.fetch_sub(taken.bytes, std::memory_order_relaxed);
      if (failed_ || taken.records.empty())
        return; // nobody is told that something is kept which is not
      kept_.store(taken.last_ticket, std::memory_order_release);
    }
    release(taken.last_ticket);
  }

  /// Calls those who wait for records through that one.
  void release(audit_ticket through) {
    std::vector<std::function<void()>> due;
    {
      const std::lock_guard lock{mutex_};
      const auto late = std::partition(
          waiters_.begin(), waiters_.end(),
          [&](const auto& each) { return each.first > through; });
      for (auto at = late; at != waiters_.end(); ++at)
        due.push_back(std::move(at->second));
      waiters_.erase(late, waiters_.end());
    }
    for (auto& each : due)
      each();
  }

  void publish_view() {
    std::uint64_t bytes = 0;
    {
      const std::lock_guard lock{mutex_};
      const auto& now = writer_->segments();
      auto& seen = view_.segments;
      // Mostly the last one has grown.
      if (!seen.empty() && seen.size() == now.size() &&
          seen.back().number == now.back().number) {
        bytes = now.back().bytes - seen.back().bytes;
        seen.back() = now.back();
      } else {
        for (const auto& each : now)
          if (seen.empty() || each.number > seen.back().number)
            bytes += each.bytes;
          else if (each.number == seen.back().number)
            bytes += each.bytes - seen.back().bytes;
        if (seen.empty()) // what was there before
          bytes = 0;
        seen = now;
      }
      view_.last_sequence = writer_->last_sequence();
      view_.last_hash = writer_->last_hash();
    }
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }

  const std::unique_ptr<writer> writer_; ///< of the thread, once it runs
  const core::clock& clock_;
  const recorder_options options_;
  const std::size_t queue_max_;
  hasher hasher_;
  clock::time_point sync_due_ = clock::now();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  record_queue queue_;
  audit_ticket tickets_ = 0;
  std::size_t being_written_ = 0;
  core::timestamp oldest_written_{};
  std::vector<std::pair<audit_ticket, std::function<void()>>> waiters_;
  log_view view_;
  bool sleeping_ = false;
  bool stopping_ = false;
  std::atomic<bool> failed_{false}; ///< changed under the mutex

  std::atomic<audit_ticket> kept_{0};
  std::atomic<std::size_t> queued_bytes_{0};
  std::atomic<std::uint64_t> records_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> flushes_{0};
  std::atomic<std::uint64_t> removed_{0};
  std::atomic<bool> stuck_{false};
  std::thread thread_;
};

result<std::unique_ptr<recorder>> recorder::open(file_system& files,
                                                 const core::clock& time,
                                                 recorder_options options) {
  options.payload_max = std::min(options.payload_max, payload_bytes_max);
  auto to = writer::open(files, options.files, time.wall());
  if (!to)
    return to.error();
  auto made = std::make_unique<impl>(std::move(*to), time, std::move(options));
  if (auto begun = made->write_opening(); !begun)
    return begun.error();
  made->start();
  return std::unique_ptr<recorder>{new recorder{std::move(made)}};
}

recorder::recorder(std::unique_ptr<impl> implementation)
    : impl_(std::move(implementation)) {}
recorder::~recorder() = default;

bool recorder::has_room() const noexcept { return impl_->has_room(); }
audit_ticket recorder::record(const audit_entry& what) {
  return impl_->record(what);
}
bool recorder::is_kept(audit_ticket ticket) const noexcept {
  return impl_->is_kept(ticket);
}
void recorder::when_kept(audit_ticket ticket, std::function<void()> then) {
  impl_->when_kept(ticket, std::move(then));
}
void recorder::stop() { impl_->stop(); }
recorder_stats recorder::stats() const { return impl_->stats(); }
log_view recorder::view() const { return impl_->view(); }

} // namespace troupe::storage::audit
