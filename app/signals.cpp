// SPDX-License-Identifier: Apache-2.0
#include "app/signals.hpp"

#include "core/assert.hpp"

#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace troupe::app {

namespace {

process_event event_of(std::uint32_t signal) {
  switch (signal) {
  case SIGHUP:
    return process_event::reload;
  case SIGUSR1:
    return process_event::reopen;
  default:
    return process_event::stop;
  }
}

} // namespace

signal_watch::signal_watch() {
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGTERM);
  sigaddset(&watched, SIGINT);
  sigaddset(&watched, SIGHUP);
  sigaddset(&watched, SIGUSR1);
  TROUPE_ASSERT(::pthread_sigmask(SIG_BLOCK, &watched, &previous_mask_) == 0,
                "signals cannot be blocked");
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &previous_pipe_);
  signals_ = ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  wakes_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  TROUPE_ASSERT(signals_ >= 0 && wakes_ >= 0, "no descriptor for signals");
}

signal_watch::~signal_watch() {
  ::close(signals_);
  ::close(wakes_);
  ::sigaction(SIGPIPE, &previous_pipe_, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

std::optional<process_event>
signal_watch::wait(std::optional<std::chrono::milliseconds> timeout) {
  pollfd ready[2] = {{signals_, POLLIN, 0}, {wakes_, POLLIN, 0}};
  const int limit = timeout ? static_cast<int>(timeout->count()) : -1;
  for (;;) {
    const int count = ::poll(ready, 2, limit);
    if (count == 0)
      return std::nullopt;
    signalfd_siginfo info{};
    if (count > 0 && ready[0].revents != 0 &&
        ::read(signals_, &info, sizeof info) == sizeof info)
      return event_of(info.ssi_signo);
    std::uint64_t wakes = 0;
    if (count > 0 && ready[1].revents != 0 &&
        ::read(wakes_, &wakes, sizeof wakes) == sizeof wakes)
      return process_event::woken;
    TROUPE_ASSERT(count > 0 || errno == EINTR, "poll failed");
  }
}

void signal_watch::wake() {
  const std::uint64_t one = 1;
  // A full counter means that a wake is waiting already.
  [[maybe_unused]] const auto written = ::write(wakes_, &one, sizeof one);
}

} // namespace troupe::app
