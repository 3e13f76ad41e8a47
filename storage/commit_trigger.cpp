// SPDX-License-Identifier: Apache-2.0
#include "storage/commit_trigger.hpp"

namespace troupe::storage {

void commit_trigger::checkpointed(std::size_t grown) {
  const auto backlog =
      backlog_.fetch_add(grown, std::memory_order_relaxed) + grown;
  if (!dirty_.load(std::memory_order_acquire)) {
    const std::lock_guard lock{mutex_};
    if (!dirty_.exchange(true))
      wake_.notify_one();
  }
  if (backlog >= commit_bytes_ && !urgent_.load(std::memory_order_relaxed)) {
    const std::lock_guard lock{mutex_};
    if (!urgent_.exchange(true))
      wake_.notify_one();
  }
}

std::uint64_t commit_trigger::request() {
  const std::lock_guard lock{mutex_};
  wake_.notify_one();
  return ++asked_;
}

void commit_trigger::wait_for_round(std::uint64_t ticket) {
  std::unique_lock lock{mutex_};
  done_.wait(lock, [&] { return finished_ >= ticket; });
}

void commit_trigger::stop() {
  const std::lock_guard lock{mutex_};
  stopping_ = true;
  wake_.notify_one();
}

commit_trigger::cause commit_trigger::wait(std::chrono::milliseconds patience,
                                           bool troubled) {
  std::unique_lock lock{mutex_};
  const auto asked = [this] { return stopping_ || asked_ > finished_; };
  bool dirty = false;
  if (troubled) {
    wake_.wait_for(lock, patience, asked);
    dirty = true;
  } else {
    dirty = wake_.wait_for(lock, patience, [&] { return asked() || dirty_; });
    // The first change starts the interval; what follows joins it.
    if (dirty && !asked())
      wake_.wait_for(lock, interval_, [&] { return asked() || urgent_; });
  }
  begun_ = asked_;
  dirty_ = false;
  urgent_ = false;
  if (asked_ > finished_)
    return cause::request;
  if (stopping_)
    return cause::stop;
  return dirty ? cause::commit : cause::idle;
}

void commit_trigger::round_done() {
  const std::lock_guard lock{mutex_};
  finished_ = begun_;
  done_.notify_all();
}

} // namespace troupe::storage
