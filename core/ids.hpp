// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace troupe::core {

/// A number that can't be mistaken for another one. Arithmetic is written out
/// on value() where it is meant.
template <class Tag, class Rep>
class strong_id {
public:
  using rep = Rep;

  constexpr strong_id() = default;
  constexpr explicit strong_id(Rep value) : value_(value) {}

  [[nodiscard]] constexpr Rep value() const noexcept { return value_; }
  constexpr strong_id& operator++() {
    ++value_;
    return *this;
  }
  friend constexpr auto operator<=>(strong_id, strong_id) = default;

private:
  Rep value_{};
};

template <class Tag, class Rep>
[[nodiscard]] constexpr strong_id<Tag, Rep> next(strong_id<Tag, Rep> id) {
  return strong_id<Tag, Rep>{static_cast<Rep>(id.value() + 1)};
}
template <class Tag, class Rep>
[[nodiscard]] constexpr strong_id<Tag, Rep> previous(strong_id<Tag, Rep> id) {
  return strong_id<Tag, Rep>{static_cast<Rep>(id.value() - 1)};
}

/// A member of the cluster; never re-used. 0 means "none".
using node_id = strong_id<struct node_id_tag, std::uint32_t>;
/// A replication group: 0 is the directory group, 1..S are the data shards.
using group_id = strong_id<struct group_id_tag, std::uint16_t>;
/// Raft term (Raft 5.1). 0 before the first election.
using term = strong_id<struct term_tag, std::uint64_t>;
/// Position in a group's replicated log; the first entry is 1.
using log_index = strong_id<struct log_index_tag, std::uint64_t>;
/// Position in one inbox, dense and ascending from 1. 0 is "before the first".
using inbox_position = strong_id<struct inbox_position_tag, std::uint64_t>;
/// A device's place in its user's row of devices, 0..99.
using device_offset = strong_id<struct device_offset_tag, std::uint8_t>;

inline constexpr group_id directory_group{0};

/// Wall-clock time in milliseconds, as it is stored and sent.
using timestamp =
    std::chrono::sys_time<std::chrono::duration<std::int64_t, std::milli>>;
using milliseconds = std::chrono::milliseconds;
/// Time for timers: never jumps.
using steady_time = std::chrono::steady_clock::time_point;

[[nodiscard]] constexpr std::int64_t to_millis(timestamp t) {
  return t.time_since_epoch().count();
}
[[nodiscard]] constexpr timestamp from_millis(std::int64_t ms) {
  return timestamp{timestamp::duration{ms}};
}

/// Names a message for good: unique over the cluster, ascending within one
/// inbox. Shown as "<milliseconds>-<number>".
struct message_id {
  /// When the message was accepted (stamped by the leader of its shard).
  std::int64_t millis = 0;
  /// Place in the replicated log, mixed with the shard.
  std::uint64_t number = 0;

  friend auto operator<=>(const message_id&, const message_id&) = default;
};

std::string to_string(const message_id& id);

} // namespace troupe::core

template <class Tag, class Rep>
struct std::hash<troupe::core::strong_id<Tag, Rep>> {
  std::size_t operator()(troupe::core::strong_id<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};
