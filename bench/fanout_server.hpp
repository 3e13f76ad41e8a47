// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

namespace troupe::bench {

/// The two programs under comparison. Frames: u32 length of what follows
/// (host order), u8 kind ('S' subscribes, 'P' publishes), payload; a publish
/// reaches every subscriber unchanged.
enum class server_kind {
  actors, ///< a channel actor, hubs, the runtime of actors/runtime
  plain,  ///< one io_context a thread, no actors
};

struct server_options {
  server_kind kind = server_kind::actors;
  std::size_t loops = 2;
  std::chrono::microseconds spin{0};
};

/// Listens on a port of 127.0.0.1 that the system chooses, writes it (u16) to
/// `ready_fd`, serves until it is killed.
[[noreturn]] void serve(const server_options& options, int ready_fd);

} // namespace troupe::bench
