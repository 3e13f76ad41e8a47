// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>

namespace troupe::actors {

/// What the bytes of a frame between two replicas of a group are. The numbers
/// are sent; docs/formats/group-frames.md has the bytes.
enum class group_frame_kind : std::uint8_t {
  raft = 1,              ///< cluster/raft_wire.hpp: votes, answers, beats
  snapshot_offer = 2,    ///< sender → receiver
  snapshot_chunk = 3,    ///< sender → receiver
  snapshot_progress = 4, ///< receiver → sender
  not_member = 5,        ///< a leader to who was removed and does not know
  proposals = 6,         ///< follower → leader: cluster/proposal_wire.hpp
  answers = 7,           ///< leader → follower
  entries = 8,           ///< as raft; may be large, and must keep its order
};

/// Carries frames to the replicas of a group on other nodes. What comes in is
/// sent to the group's own actor as a group_frame message, on any thread.
/// Owned by the node, outlives the actors; called on every loop.
///
/// Frames may be lost, doubled or overtake each other, but arrive whole or not
/// at all. What is sent to one node for one group under one kind should keep
/// its order, or there is much to repeat; raft and not_member should not wait
/// behind the others. One frame is at most as large as the largest command and
/// a few bytes more; most are below 256 KiB.
class group_transport {
public:
  virtual ~group_transport() = default;

  /// Never blocks. False if there is no room or no link: the frame is dropped.
  virtual bool send(core::node_id to, core::group_id group,
                    group_frame_kind kind, core::shared_bytes bytes) = 0;

  /// Whether there is a link just now.
  [[nodiscard]] virtual bool reaches(core::node_id node) const = 0;
};

} // namespace troupe::actors
