// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/proposal_wire.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <map>

namespace troupe::actors {

/// What a leader has taken of the proposals that other replicas pass on to it:
/// frames of a stream are taken without a gap, or not at all, so that nothing
/// gets past what was asked before it. Owned by a group, used on its loop;
/// bounded by the nodes there ever were.
class proposal_streams {
public:
  /// Whether nothing is missing between the frame and those before it. Else its
  /// stream is broken off.
  bool take(core::node_id from, const cluster::forwarded_batch& frame) {
    auto& [stream, next] = streams_[from];
    if (frame.place == 0 && frame.stream != stream) {
      stream = frame.stream;
      next = 0;
    }
    const bool follows = frame.stream == stream && frame.place == next;
    next = follows ? next + 1 : broken;
    return follows;
  }
  /// Something of that node is lost: nothing behind it is taken before another
  /// stream begins.
  void break_off(core::node_id from) { streams_[from].next = broken; }
  [[nodiscard]] bool is_broken(core::node_id from) const {
    const auto at = streams_.find(from);
    return at != streams_.end() && at->second.next == broken;
  }

private:
  /// The place of no frame.
  static constexpr std::uint64_t broken = UINT64_MAX;

  struct position {
    std::uint64_t stream = 0;
    std::uint64_t next = 0;
  };
  std::map<core::node_id, position> streams_;
};

} // namespace troupe::actors
