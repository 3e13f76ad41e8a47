// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe::net::identity {

/// Threads for what takes too long for a loop. Thread-safe.
class hash_workers {
public:
  struct options {
    std::size_t threads = 1;
    /// Jobs that wait; more are refused.
    std::size_t waiting_max = 64;
  };

  explicit hash_workers(options how);
  ~hash_workers();
  hash_workers(const hash_workers&) = delete;
  hash_workers& operator=(const hash_workers&) = delete;

  /// Waits for the jobs that run; those that wait are dropped unrun, and none
  /// is taken any more.
  void stop();
  /// False if there is no room: nothing happens then.
  [[nodiscard]] bool run(std::function<void()> job);
  [[nodiscard]] std::size_t waiting() const;

private:
  void work();

  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace troupe::net::identity
