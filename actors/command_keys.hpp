// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::actors {

/// Keys for the commands that one loop sends to one group. A key is out until
/// its command is sure not to be proposed again. Keys of one origin that are
/// out are never further apart than replicas remember what they have applied
/// (core::idempotency_window): a command that waits long for a leader is not
/// taken for an old one. When the oldest key of an origin stays out, the next
/// ones are of another origin. Owned by the broker_context, which locks it.
class command_keys {
public:
  /// More are not made for one loop and group.
  static constexpr std::size_t origins_max = 16;

  /// None if every origin's window is used up.
  [[nodiscard]] std::optional<core::idempotency_key> take();
  /// What is not out is ignored.
  void give_back(const core::idempotency_key& key);

private:
  struct origin {
    std::uint64_t id = 0;
    std::uint64_t next = 1;
    std::uint64_t oldest = 1; ///< that is out; `next` if none is
    std::bitset<core::idempotency_window> out; // by sequence % its size

    [[nodiscard]] bool has_room() const {
      return next - oldest < core::idempotency_window;
    }
  };

  std::vector<origin> origins_; // few are ever made
};

} // namespace troupe::actors
