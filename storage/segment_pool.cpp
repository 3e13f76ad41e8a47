// SPDX-License-Identifier: Apache-2.0
#include "storage/segment_pool.hpp"

#include "storage/log_recovery.hpp"
#include "storage/named_thread.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace troupe::storage {
namespace {

namespace fs = std::filesystem;
using core::result;

/// Recycled segments kept beyond those wanted; more are deleted.
constexpr std::size_t surplus = 2;
/// How often free space is looked at, and a failed preparation tried again.
constexpr std::chrono::seconds look_again{1};

} // namespace

segment_pool::segment_pool(file_system& files, segment_pool_options options,
                           segment_number next)
    : files_(files), options_(std::move(options)), next_(next) {}

result<std::unique_ptr<segment_pool>>
segment_pool::start(file_system& files, segment_pool_options options,
                    const std::vector<segment_number>& prepared,
                    segment_number next) {
  std::unique_ptr<segment_pool> pool{
      new segment_pool{files, std::move(options), next}};
  for (const auto number : prepared) {
    auto opened = pool->open_segment(number);
    if (!opened)
      return opened.error();
    pool->prepared_.push_back({number, std::move(*opened)});
  }
  pool->ready_ = pool->prepared_.size();
  if (prepared.empty())
    if (auto made = pool->make(); !made)
      return made.error();
  pool->work_ = true;
  pool->thread_ = std::thread{[raw = pool.get()] { raw->run(); }};
  return pool;
}

segment_pool::~segment_pool() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

std::optional<segment_pool::segment> segment_pool::take() {
  std::optional<segment> taken;
  {
    const std::lock_guard lock{mutex_};
    if (prepared_.empty())
      return taken;
    taken = std::move(prepared_.front());
    prepared_.pop_front();
    ready_.store(prepared_.size(), std::memory_order_release);
    work_ = true;
  }
  wake_.notify_one();
  return taken;
}

void segment_pool::recycle(const std::vector<segment_number>& free) {
  if (free.empty())
    return;
  {
    const std::lock_guard lock{mutex_};
    free_.insert(free_.end(), free.begin(), free.end());
    work_ = true;
  }
  wake_.notify_one();
}

storage::health segment_pool::health() const {
  const std::lock_guard lock{mutex_};
  return health_;
}

storage::health segment_pool::refresh() {
  std::unique_lock lock{mutex_};
  const auto ticket = ++rounds_asked_;
  wake_.notify_one();
  round_done_.wait(lock, [&] { return rounds_done_ >= ticket || stopping_; });
  return health_;
}

void segment_pool::run() {
  name_this_thread("troupe-prepare");
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    wake_.wait_for(lock, look_again, [&] {
      return work_ || rounds_asked_ > rounds_done_ || stopping_;
    });
    if (stopping_)
      break;
    work_ = false;
    const auto asked = rounds_asked_;
    lock.unlock();
    round();
    lock.lock();
    rounds_done_ = asked;
    round_done_.notify_all();
  }
  round_done_.notify_all();
}

void segment_pool::round() {
  storage::health now;
  const auto trouble = [&now](std::string reason) {
    now.level = space_level::low;
    now.reason = std::move(reason);
  };

  if (auto done = finish_admission(); !done)
    trouble(done.error().detail);
  for (auto free = next_free(); free && !admitting_; free = next_free())
    if (auto done = dispose(*free); !done) {
      trouble(done.error().detail);
      break;
    }

  auto room = files_.free_bytes(options_.folder);
  while (ready() < options_.wanted && !admitting_) {
    // The reserve is for what makes room again, so only the very last segment
    // may be taken from it.
    if (ready() > 0 &&
        (!room || *room < options_.reserve_bytes + options_.segment_bytes)) {
      trouble(room ? "free disk space is down to the reserve"
                   : room.error().detail);
      break;
    }
    if (auto made = make(); !made) {
      trouble(made.error().detail);
      break;
    }
    room = files_.free_bytes(options_.folder);
  }
  if (room && *room < options_.reserve_bytes)
    trouble("free disk space is below the reserve: " + std::to_string(*room) +
            " bytes");
  if (now.level != space_level::ok && ready() == 0)
    now.level = space_level::full;
  set_health(std::move(now));
}

std::optional<segment_number> segment_pool::next_free() {
  const std::lock_guard lock{mutex_};
  if (free_.empty() || stopping_)
    return std::nullopt;
  return free_.front();
}

result<void> segment_pool::dispose(segment_number free) {
  const auto path = options_.folder / segment_name(free);
  const auto forget = [this] {
    const std::lock_guard lock{mutex_};
    free_.pop_front();
  };
  const auto length = length_of(path);
  if (!length)
    return length.error();
  if (ready() >= options_.wanted + surplus ||
      *length != options_.segment_bytes) {
    if (auto done = files_.remove(path); !done)
      return done;
    forget();
    // One at a time, oldest first: after a crash the rest has no gap.
    return files_.sync_folder(options_.folder);
  }
  if (auto done = rename_to_next(path); !done)
    return done;
  forget();
  ++recycled_;
  return finish_admission();
}

result<std::uint64_t> segment_pool::length_of(const fs::path& path) {
  const auto opened = files_.open(path, open_mode::read_only);
  if (!opened)
    return opened.error();
  return (*opened)->size();
}

result<void> segment_pool::make() {
  const auto path = options_.folder / new_segment_name;
  const auto fill = [&]() -> result<void> {
    auto fresh = files_.open(path, open_mode::create_or_empty);
    if (!fresh)
      return fresh.error();
    if (auto done = (*fresh)->preallocate(options_.segment_bytes); !done)
      return done;
    return (*fresh)->sync();
  };
  if (auto done = fill(); !done) {
    (void)files_.remove(path); // gives back what it took
    return done;
  }
  if (auto done = rename_to_next(path); !done)
    return done;
  ++made_;
  return finish_admission();
}

result<void> segment_pool::rename_to_next(const fs::path& from) {
  auto done = files_.rename(from, options_.folder / segment_name(next_));
  // From here on the number is taken: skipping it would look like a hole.
  if (done)
    admitting_ = next_++;
  return done;
}

result<void> segment_pool::finish_admission() {
  if (!admitting_)
    return {};
  if (auto done = files_.sync_folder(options_.folder); !done)
    return done;
  auto opened = open_segment(*admitting_);
  if (!opened)
    return opened.error();
  const std::lock_guard lock{mutex_};
  prepared_.push_back({*admitting_, std::move(*opened)});
  admitting_.reset();
  ready_.store(prepared_.size(), std::memory_order_release);
  return {};
}

result<std::unique_ptr<file>>
segment_pool::open_segment(segment_number number) {
  return files_.open(options_.folder / segment_name(number),
                     open_mode::read_write_direct);
}

void segment_pool::set_health(storage::health now) {
  {
    const std::lock_guard lock{mutex_};
    if (now.level == health_.level) {
      health_ = std::move(now); // the reason may have changed
      return;
    }
    health_ = now;
  }
  if (options_.on_health)
    options_.on_health(now);
}

} // namespace troupe::storage
