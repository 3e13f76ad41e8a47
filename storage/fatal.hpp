// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

namespace troupe::storage {

/// Called, on the thread that met it, when a store can't go on without
/// risking what was promised: a failed write or flush of the log, a stored
/// value whose checksum does not match. Must not return in production; a test
/// may return, then the store does nothing any more and reports nothing.
using fatal_handler = std::function<void(std::string_view what)>;

/// Prints "troupe: <what>; the node stops now" to stderr and ends the process
/// at once with status 70, without running destructors: after a failed flush
/// nobody knows what the disk holds, and only a restart finds out.
[[noreturn]] void stop_the_node(std::string_view what);

} // namespace troupe::storage
