// SPDX-License-Identifier: Apache-2.0
#include "storage/task_thread.hpp"

#include "storage/named_thread.hpp"

#include <utility>

namespace troupe::storage {

task_thread::task_thread(std::string name, std::size_t waiting_max)
    : name_(std::move(name)), waiting_max_(waiting_max),
      thread_([this] { run(); }) {}

task_thread::~task_thread() { stop(); }

bool task_thread::submit(task work) {
  {
    const std::lock_guard lock{mutex_};
    if (stopping_ || waiting_.size() >= waiting_max_)
      return false;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void task_thread::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    waiting_.clear();
  }
  changed_.notify_one();
  if (thread_.joinable())
    thread_.join();
}

std::size_t task_thread::waiting() const {
  const std::lock_guard lock{mutex_};
  return waiting_.size();
}

void task_thread::run() {
  name_this_thread(name_.c_str());
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_)
      return;
    auto work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    work = nullptr; // what it holds is freed without the lock
    lock.lock();
  }
}

} // namespace troupe::storage
