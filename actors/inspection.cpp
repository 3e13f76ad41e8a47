// SPDX-License-Identifier: Apache-2.0
#include "actors/inspection.hpp"

#include "core/date_text.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

std::string_view name_of(cluster::progress::mode mode) {
  switch (mode) {
  case cluster::progress::mode::probe:
    return "probe";
  case cluster::progress::mode::replicate:
    return "replicate";
  case cluster::progress::mode::snapshot:
    return "snapshot";
  }
  return "";
}

void describe_followers(core::json_writer& out, const cluster::raft& raft) {
  out.key("followers").begin_array();
  const auto each = [&](core::node_id node) {
    const auto* peer = raft.progress_of(node);
    if (peer == nullptr)
      return;
    out.begin_object()
        .member("node", std::uint64_t{node.value()})
        .member("state", name_of(peer->state))
        .member("match", peer->match.value())
        .member("lag", raft.last().value() - peer->match.value())
        .member("active", peer->active)
        .end_object();
  };
  for (const auto node : raft.members().voters)
    each(node);
  for (const auto node : raft.members().learners)
    each(node);
  out.end_array();
}

} // namespace

void describe_raft(core::json_writer& out, const cluster::raft& raft) {
  out.member("leader", raft.leader().value())
      .member("term", raft.current_term().value())
      .member("commit", raft.commit().value())
      .member("applied", raft.applied().value())
      .member("log_first", raft.first().value())
      .member("log_last", raft.last().value());
  out.key("voters").begin_array();
  for (const auto voter : raft.members().voters)
    out.value(std::uint64_t{voter.value()});
  out.end_array().key("learners").begin_array();
  for (const auto learner : raft.members().learners)
    out.value(std::uint64_t{learner.value()});
  out.end_array();
  if (raft.leads())
    describe_followers(out, raft);
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
