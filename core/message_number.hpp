// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <cstdint>

/// How a message's id and end follow from its place in the log and the time of
/// the command that brought it.
namespace troupe::core {

/// Groups that a message number tells apart.
inline constexpr std::uint16_t message_groups_max = 1024;

/// message_id::number: 38 bits of log index, 10 of group, 16 of ordinal. So
/// the ids of one millisecond ascend with the log of their shard.
[[nodiscard]] constexpr std::uint64_t
message_number(group_id group, log_index source,
               std::uint16_t ordinal) noexcept {
  const auto low =
      static_cast<std::uint32_t>(group.value()) % message_groups_max << 16 |
      ordinal;
  return source.value() << 26 | low;
}

/// End of a time to live; "never" stays representable if a client asks for
/// more time than there is.
[[nodiscard]] constexpr timestamp message_expiry(timestamp created,
                                                 milliseconds time_to_live) {
  using count = timestamp::rep;
  const count begin = to_millis(created);
  const count length = time_to_live.count();
  if (begin > 0 && length > to_millis(timestamp::max()) - begin)
    return timestamp::max();
  if (begin < 0 && length < to_millis(timestamp::min()) - begin)
    return timestamp::min();
  return from_millis(begin + length);
}

} // namespace troupe::core
