// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/logging.hpp"
#include "app/workers/process.hpp"
#include "app/workers/supervision.hpp"
#include "core/clock.hpp"
#include "net/owned_fd.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace troupe::app::workers {

/// One worker's process, for GET /workers.
struct process_view {
  std::uint32_t worker = 0;
  pid_t pid = 0; ///< 0: none
  worker_state state = worker_state::backing_off;
  core::timestamp started{}; ///< of the process
  std::uint64_t restarts = 0;
  core::milliseconds retry_in{0}; ///< while backing off
  std::string last_end;           ///< "" if none has ended yet
};

/// Starts the workers' processes, hears of their ends, kills those that hang
/// and replaces them, on a thread of its own. Thread-safe. Owned by a pool.
///
/// A `life` numbers the processes of all workers: what is said about an
/// earlier one does not count for its successor.
class supervisor {
public:
  struct parts {
    std::uint32_t workers = 1;
    std::vector<int> doors; ///< not owned; open until all have ended
    /// A process has started; from the supervisor's thread.
    std::function<void(std::uint32_t worker, std::uint64_t life,
                       net::owned_fd line)>
        attach;
    logger& log;
  };

  explicit supervisor(parts what);
  /// Kills what is left.
  ~supervisor();
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  /// Once; begins.
  void start();
  /// It accepts clients.
  void ready(std::uint32_t worker, std::uint64_t life);
  /// Its line is closed: it ends, or is about to.
  void closed(std::uint32_t worker, std::uint64_t life);
  /// It does not answer, or talks nonsense.
  void lost(std::uint32_t worker, std::uint64_t life, std::string why);
  /// No more starts; processes that are told to end and do not are killed when
  /// `patience` is over.
  void end(core::milliseconds patience);
  /// Blocks until no process is left, at most so long.
  bool wait_until_ended(core::milliseconds patience);

  [[nodiscard]] std::vector<process_view> views() const;
  [[nodiscard]] std::size_t up() const;

private:
  struct slot {
    supervision policy;
    process running{};
    std::uint64_t life = 0;
    core::timestamp started{};
    std::string last_end{};
    std::string why{}; ///< of the kill
  };

  void run();
  void take_time(std::uint32_t worker);
  void take_exit(std::uint32_t worker);
  void carry_out(std::uint32_t worker, supervision::order what);
  void spawn(std::uint32_t worker);
  [[nodiscard]] int wait_time() const;
  void wake() const;

  parts parts_;
  core::system_clock clock_;
  net::owned_fd wakes_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<slot> slots_;           // guarded by mutex_
  std::uint64_t lives_ = 0;           // guarded by mutex_
  bool over_ = false;                 // guarded by mutex_
  std::vector<std::uint32_t> wanted_; // to be started; its thread's
  std::thread thread_;
};

} // namespace troupe::app::workers
