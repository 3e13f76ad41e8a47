// SPDX-License-Identifier: Apache-2.0
#include "net/identity/hash_workers.hpp"

#include <algorithm>
#include <pthread.h>
#include <utility>

namespace troupe::net::identity {

hash_workers::hash_workers(options how) : waiting_max_(how.waiting_max) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, how.threads); ++i)
    threads_.emplace_back([this] { work(); });
}

hash_workers::~hash_workers() { stop(); }

void hash_workers::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& each : threads_)
    each.join();
  threads_.clear();
}

bool hash_workers::run(std::function<void()> job) {
  {
    const std::lock_guard lock{mutex_};
    if (stopping_ || jobs_.size() >= waiting_max_)
      return false;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

std::size_t hash_workers::waiting() const {
  const std::lock_guard lock{mutex_};
  return jobs_.size();
}

void hash_workers::work() {
  ::pthread_setname_np(::pthread_self(), "troupe-hash");
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_)
        return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

} // namespace troupe::net::identity
