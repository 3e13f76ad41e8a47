// SPDX-License-Identifier: Apache-2.0
#include "actors/linked_groups.hpp"

#include <cstdint>
#include <utility>

namespace troupe::actors {
namespace {

/// Frames of one group and kind keep their order, so both are in the key.
constexpr unsigned kind_shift = 16;

links::kind lane_of(group_frame_kind kind) {
  switch (kind) {
  case group_frame_kind::raft:
  case group_frame_kind::not_member:
    return links::kind::raft;
  case group_frame_kind::entries:
    return links::kind::raft_entries;
  case group_frame_kind::snapshot_offer:
  case group_frame_kind::snapshot_chunk:
  case group_frame_kind::snapshot_progress:
    return links::kind::snapshot;
  case group_frame_kind::proposals:
  case group_frame_kind::answers:
    return links::kind::proposals;
  }
  return links::kind::proposals;
}

} // namespace

linked_groups::linked_groups(links::node_links& links, deliver_function deliver)
    : links_(links), deliver_(std::move(deliver)) {
  for (const auto kind : {links::kind::raft, links::kind::raft_entries,
                          links::kind::snapshot, links::kind::proposals})
    links_.on_message(kind,
                      [this](const links::received& m) { on_message(m); });
}

bool linked_groups::send(core::node_id to, core::group_id group,
                         group_frame_kind kind, core::shared_bytes bytes) {
  const auto key = std::uint64_t{static_cast<std::uint8_t>(kind)}
                       << kind_shift |
                   group.value();
  return links_.send(to, lane_of(kind), key, std::move(bytes)).has_value();
}

void linked_groups::on_message(const links::received& message) const {
  const auto kind = message.key >> kind_shift;
  group_frame frame;
  frame.from = message.from;
  // What it is not known to be is counted by the group.
  frame.kind =
      kind <= 0xFF ? static_cast<group_frame_kind>(kind) : group_frame_kind{};
  frame.bytes = message.body;
  frame.credit = message.credit;
  deliver_(core::group_id{static_cast<std::uint16_t>(message.key)},
           std::move(frame));
}

} // namespace troupe::actors
