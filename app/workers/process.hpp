// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "net/owned_fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace troupe::app::workers {

/// Where a worker finds its end of the line; its listening sockets follow.
inline constexpr int line_descriptor = 3;

/// A worker's process, of which somebody still has to hear the end.
struct process {
  pid_t pid = 0;
  /// Readable when it has ended; none on kernels that have no such thing.
  net::owned_fd ended;
  /// The agent's end of the line, non-blocking.
  net::owned_fd line;
};

/// Starts this program again as a worker: with nothing open but the standard
/// streams, the line and `doors`, in a process group of its own (what a
/// terminal sends to the node is not for its workers), with no signal blocked.
/// Blocks for about a millisecond. Any thread.
[[nodiscard]] core::result<process>
start_process(std::uint32_t worker, const std::vector<int>& doors);

/// How it ended, for people, if it has ("exit code 1", "signal 9"); then the
/// process is forgotten.
[[nodiscard]] std::optional<std::string> take_end(const process& which);

} // namespace troupe::app::workers
