// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace troupe::storage {

/// A named thread for blocking work that may take long, one piece after the
/// other. The destructor finishes the piece under way and drops the others.
class task_thread {
public:
  using task = std::function<void()>;

  /// `name` has at most 15 characters.
  task_thread(std::string name, std::size_t waiting_max);
  ~task_thread();
  task_thread(const task_thread&) = delete;
  task_thread& operator=(const task_thread&) = delete;

  /// False if too many wait already. Thread-safe.
  bool submit(task work);
  /// Drops what waits, ends what runs, and the thread. Idempotent.
  void stop();
  [[nodiscard]] std::size_t waiting() const;

private:
  void run();

  const std::string name_;
  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<task> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace troupe::storage
