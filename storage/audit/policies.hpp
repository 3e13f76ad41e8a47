// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// What an audit log can be told; values of settings.
namespace troupe::storage::audit {

/// What an answer waits for (docs/decisions/0020-audit.md).
enum class answer_policy : std::uint8_t {
  at_once,
  written, ///< the operating system has the record
  synced,  ///< it is on stable storage
};

/// Which posts and publications are recorded; all else always is.
enum class message_policy : std::uint8_t { all, refused, none };

/// What happens to a payload.
enum class payload_policy : std::uint8_t {
  none, ///< its size is recorded
  hash, ///< and its SHA-256
  full, ///< and itself, if it is not above a bound
};

/// When the queue is full.
enum class overflow_policy : std::uint8_t {
  drop,  ///< records are lost and counted; nobody waits for a full disk
  refuse ///< has_room() is false; what is under way has as much room again
};

} // namespace troupe::storage::audit
