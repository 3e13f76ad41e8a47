// SPDX-License-Identifier: Apache-2.0
#include "actors/inspection.hpp"

#include "core/date_text.hpp"

#include <algorithm>

namespace troupe::actors {

void describe_raft(core::json_writer& out, const cluster::raft& raft) {
  out.member("leader", raft.leader().value())
      .member("term", raft.current_term().value())
      .member("commit", raft.commit().value())
      .member("applied", raft.applied().value())
      .member("log_first", raft.first().value())
      .member("log_last", raft.last().value());
}

void describe_head(core::json_writer& out, const core::inbox_head& head,
                   const core::inbox_store& tables) {
  out.member("messages", head.count)
      .member("bytes", head.bytes)
      .member("first", head.first.value())
      .member("last", head.last.value())
      .member("lost_through", head.lost.value());
  out.key("oldest");
  bool found = false;
  tables.each_entry(head.number, head.first, [&](const core::inbox_entry& e) {
    out.begin_object()
        .member("position", e.position.value())
        .member("log_index", e.source.value())
        .member("single", e.single)
        .end_object();
    found = true;
    return false;
  });
  if (!found)
    out.null();
}

void describe_devices(
    core::json_writer& out, const core::inbox_head& head,
    const std::vector<core::device_offset>& connected,
    const std::function<bool(const core::cursor&)>& inactive) {
  out.key("devices").begin_array();
  for (const auto& c : head.cursors) {
    const bool here = std::find(connected.begin(), connected.end(), c.device) !=
                      connected.end();
    // What was lost on the way is not queued any more, nor what waited for a
    // device that was away for too long.
    const bool gone = !here && inactive(c);
    const auto behind =
        gone ? head.last : std::max(c.acknowledged, core::previous(head.first));
    out.begin_object()
        .member("offset", static_cast<std::uint64_t>(c.device.value()))
        .member("acknowledged", c.acknowledged.value())
        .member("queued", head.last.value() - behind.value())
        .member("seen_ms", core::to_millis(c.seen))
        .member("last_seen", std::string_view{core::to_iso_8601(c.seen)})
        .member("connected", here)
        .member("inactive", gone)
        .end_object();
  }
  out.end_array();
}

} // namespace troupe::actors
