// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace troupe::storage {

/// When the state thread commits. Groups say when they have a new checkpoint,
/// which costs them an atomic addition; the thread waits here. Thread-safe.
class commit_trigger {
public:
  commit_trigger(std::chrono::milliseconds interval, std::size_t commit_bytes)
      : interval_(interval), commit_bytes_(commit_bytes) {}

  /// A group has a checkpoint with so many new bytes.
  void checkpointed(std::size_t grown);
  /// So many bytes were committed or dropped.
  void shrunk(std::size_t bytes) {
    backlog_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t backlog() const {
    return backlog_.load(std::memory_order_relaxed);
  }

  /// Asks for a round now; pass the ticket to wait_for_round().
  std::uint64_t request();
  void wait_for_round(std::uint64_t ticket);
  void stop();

  enum class cause : std::uint8_t { stop, request, commit, idle };

  /// For the state thread: blocks until there is something to do; `idle` after
  /// `patience` with nothing new. While `troubled`, waits for a request or the
  /// end of `patience` only.
  cause wait(std::chrono::milliseconds patience, bool troubled);
  /// For the state thread: the round that wait() began is over.
  void round_done();

private:
  const std::chrono::milliseconds interval_;
  const std::size_t commit_bytes_;

  std::atomic<std::size_t> backlog_{0};
  std::atomic<bool> dirty_{false};
  std::atomic<bool> urgent_{false};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::uint64_t asked_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t finished_ = 0;
  bool stopping_ = false;
};

} // namespace troupe::storage
