// SPDX-License-Identifier: Apache-2.0
#include "cluster/raft.hpp"
#include "core/assert.hpp"

#include <algorithm>
#include <utility>

namespace troupe::cluster {

// ----------------------------------------------------------------- membership

core::result<void> raft::may_change_members() const {
  if (!leads())
    return core::errc::not_leader;
  if (transfer_to_ != core::node_id{})
    return core::errc::unavailable;
  // Majorities of two configurations overlap only if they are one step apart.
  // So the previous step must be committed, and so must an entry of this term:
  // else a change of an older leader may be about to win somewhere.
  if (!established() && !mutated(raft_mutation::change_before_no_op))
    return core::errc::unavailable;
  if (configurations_.current_index() > commit_ &&
      !mutated(raft_mutation::overlapping_changes))
    return core::errc::unavailable;
  return {};
}

core::result<core::log_index>
raft::propose_configuration(const configuration& to) {
  if (auto allowed = may_change_members(); !allowed)
    return allowed.error();
  if (!is_valid(to) || !is_single_step(members(), to))
    return core::errc::invalid_config;
  append_local({hard_.term, entry_kind::configuration, encode(to)});
  match_peers_to_configuration();
  return log_.last();
}

core::result<core::log_index> raft::add_learner(core::node_id node) {
  if (leads() && members().contains(node))
    return core::errc::invalid_config;
  auto to = members();
  to.learners.push_back(node);
  return propose_configuration(to);
}

core::result<core::log_index> raft::promote(core::node_id node) {
  if (!leads())
    return core::errc::not_leader;
  const auto* peer = progress_of(node);
  if (!members().is_learner(node) || peer == nullptr)
    return core::errc::invalid_config;
  // A voter far behind would hold up every commit that needs it, and one that
  // does not know the members yet does not vote.
  if (peer->match < configurations_.current_index() ||
      peer->state != progress::mode::replicate ||
      log_.last().value() - peer->match.value() > options_.window_entries)
    return core::errc::unavailable;
  auto to = members();
  to.erase(node);
  to.voters.push_back(node);
  return propose_configuration(to);
}

core::result<core::log_index> raft::remove(core::node_id node) {
  if (leads() && !members().contains(node))
    return core::errc::invalid_config;
  auto to = members();
  to.erase(node);
  return propose_configuration(to);
}

/// A leader that is no longer a voter leads until its removal is committed
/// (Raft dissertation 4.2.2).
void raft::finish_configuration_change(core::log_index index) {
  if (configurations_.current_index() <= index && !members().is_voter(self_))
    become_follower(hard_.term, {});
}

// ------------------------------------------------------------------ snapshots

void raft::set_snapshot(const snapshot_meta& meta) {
  snapshot_ = meta;
  log_.set_snapshot(meta.index, meta.term);
}

snapshot_meta raft::describe(core::log_index index) const {
  const auto term = log_.term_at(index);
  const auto* record = configurations_.at(index);
  TROUPE_ASSERT(index <= applied_ && term && record != nullptr,
                "contents between the newest snapshot and the last applied");
  return {index, *term, record->index, record->members};
}

void raft::compact(core::log_index through) {
  through = std::min(through, applied_);
  const auto newest = snapshot_ ? snapshot_->index : core::log_index{};
  if (fatal_ || installing_ || through <= newest)
    return;
  set_snapshot(describe(through));
  snapshot_to_write_ = snapshot_;
  configurations_.compact(through);
  dirty_ = true;
  // What follows a snapshot under way must still be here when it arrives.
  auto limit = through;
  for (const auto& [node, peer] : peers_)
    if (peer.state == progress::mode::snapshot)
      limit = std::min(limit, peer.snapshot_index);
  // The tail is for followers; a lone member has none to catch up.
  const bool alone =
      members().is_lone_voter(self_) && members().learners.empty();
  auto cut = core::previous(log_.first());
  auto bytes = log_.bytes();
  while (cut < limit &&
         (alone || through.value() - cut.value() > options_.keep_entries ||
          bytes > options_.keep_bytes)) {
    ++cut;
    bytes -= log_.at(cut).data.size();
  }
  if (cut >= log_.first()) {
    log_.trim(cut);
    trim_to_ = cut;
  }
}

void raft::snapshot_installed(const snapshot_meta& meta) {
  TROUPE_ASSERT(installing_ && meta.index > commit_,
                "the snapshot was asked for");
  installing_ = false;
  set_snapshot(meta);
  log_.reset(meta.index, meta.term);
  configurations_.reset(meta.configuration_index, meta.configuration);
  snapshot_to_write_ = meta;
  replace_log_ = true;
  truncate_from_.reset();
  trim_to_.reset();
  commit_ = applied_ = submitted_ = meta.index;
  // Agreed upon, so every leader of this or a later term has it.
  verified_ = meta.index;
  // Nothing counts as flushed before the log has been replaced.
  flushed_ = {};
  for (auto& f : flights_)
    f.last = {};
  dirty_ = true;
}

void raft::snapshot_failed() {
  TROUPE_ASSERT(installing_, "the snapshot was asked for");
  installing_ = false;
  restart_election_timer();
}

} // namespace troupe::cluster
