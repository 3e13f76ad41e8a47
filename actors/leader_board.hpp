// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace troupe::actors {

/// A group that a node leads.
struct led_group {
  core::group_id group;
  core::term term;

  friend bool operator==(const led_group&, const led_group&) = default;
};

/// What each node tells all others every so often: the groups it leads. Nodes
/// that keep no replica of a group hear of its leader in no other way.
/// docs/formats/group-frames.md has the bytes.
class leader_board {
public:
  explicit leader_board(std::size_t groups);

  [[nodiscard]] static core::shared_bytes
  encode(const std::vector<led_group>& led);
  /// One thread at a time. `changed` is called with each group that another
  /// node has led up to now. False if the bytes are none, or name a group that
  /// is not there.
  bool take(core::node_id from, core::bytes_view bytes,
            const std::function<void(core::group_id)>& changed = {});

  /// Who said so last, in the highest term; 0 if nobody has. Any thread.
  [[nodiscard]] core::node_id leader_of(core::group_id group) const {
    return core::node_id{
        leaders_[group.value()].load(std::memory_order_relaxed)};
  }

private:
  std::vector<std::atomic<std::uint32_t>> leaders_;
  std::vector<core::term> terms_;
};

} // namespace troupe::actors
