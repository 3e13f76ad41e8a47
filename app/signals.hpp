// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>

namespace troupe::app {

/// What the main thread of a node waits for.
enum class process_event : std::uint8_t {
  stop,   ///< SIGTERM or SIGINT
  reload, ///< SIGHUP
  reopen, ///< SIGUSR1
  woken,  ///< wake() was called
};

/// Takes SIGTERM, SIGINT, SIGHUP and SIGUSR1 out of the usual delivery, so that
/// they arrive as values on one thread and no code runs inside a signal
/// handler; ignores SIGPIPE. One at a time in a process. REQUIRES: made before
/// any thread is started (threads inherit the mask).
class signal_watch {
public:
  signal_watch();
  /// Gives the signals back to whoever had them.
  ~signal_watch();
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;

  /// The next event; blocks. Nothing if `timeout` passes first.
  [[nodiscard]] std::optional<process_event>
  wait(std::optional<std::chrono::milliseconds> timeout = std::nullopt);

  /// Makes wait() return `woken`. From any thread; several calls may count as
  /// one.
  void wake();

private:
  sigset_t previous_mask_{};
  struct sigaction previous_pipe_ {};
  int signals_ = -1; // signalfd
  int wakes_ = -1;   // eventfd
};

} // namespace troupe::app
