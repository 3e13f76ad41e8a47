// SPDX-License-Identifier: Apache-2.0
#include "cluster/raft.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace troupe::cluster {

raft::raft(core::group_id group, core::node_id self, raft_options options,
           random_source random)
    : group_(group), self_(self), options_(options),
      random_(std::move(random)) {}

void raft::start(persisted_state state, core::steady_time now) {
  now_ = now;
  dirty_ = true;
  hard_ = state.hard_state;
  load_log(state);
  if (fatal_)
    return;
  restart_election_timer();
  if (members().is_lone_voter(self_))
    campaign(false, false);
}

/// Joins the log with the snapshot. A crash between the installation of a
/// snapshot and the write that replaces the log leaves a log which does not
/// reach, or contradicts, the snapshot: it is replaced now.
void raft::load_log(persisted_state& state) {
  core::log_index start; // where the state machine stands
  if (state.snapshot) {
    if (!is_valid(state.snapshot->configuration))
      return fail("the snapshot's configuration is not valid");
    start = state.snapshot->index;
    set_snapshot(*state.snapshot);
    configurations_.reset(state.snapshot->configuration_index,
                          state.snapshot->configuration);
  }
  const bool empty = state.entries.empty();
  const auto first = empty ? core::next(start) : state.first;
  const auto end = first.value() + state.entries.size();
  if (first > core::next(start))
    return fail("the log begins behind the end of the snapshot");
  const auto own = start.value() - first.value(); // place of the last entry
  if (!empty && first <= start &&
      (end <= start.value() || state.entries[own].term != snapshot_->term)) {
    state.entries.clear();
    replace_log_ = true;
    snapshot_to_write_ = snapshot_;
    log_.reset(start, snapshot_->term);
  } else if (first == core::next(start)) {
    log_.reset(start, snapshot_ ? snapshot_->term : core::term{});
  } else {
    log_.reset(core::previous(first), core::term{});
  }
  for (auto& e : state.entries) {
    if (e.kind == entry_kind::configuration && log_.last() >= start) {
      auto members = decode_configuration(e.data.view());
      if (!members)
        return fail("a configuration in the log is damaged");
      configurations_.append(core::next(log_.last()), *std::move(members));
    }
    log_.append(std::move(e));
  }
  // The installation of a snapshot may have been faster than the write of the
  // term in which it came. Nothing was promised in that term yet.
  if (snapshot_ && snapshot_->term > hard_.term)
    set_hard_state(snapshot_->term, {});
  applied_ = commit_ = std::max(start, state.applied);
  verified_ = commit_;
  flushed_ = submitted_ = log_.last();
  if (applied_ > log_.last())
    fail("the state machine is ahead of the log");
  else if (log_.last_term() > hard_.term)
    fail("the log is ahead of the term");
}

// ---------------------------------------------------------------------- small

void raft::fail(std::string detail) {
  if (!fatal_)
    fatal_ = core::error{core::errc::corrupt,
                         "group " + std::to_string(group_.value()) + " node " +
                             std::to_string(self_.value()) + ": " +
                             std::move(detail)};
  role_ = role::follower;
  leader_ = {};
  dirty_ = true;
}

void raft::send(core::node_id to, message m) {
  dirty_ = true;
  // A promise must not leave before it is on disk (Raft 5.2): the write that
  // carries the newest hard state is the next one or one on its way.
  const auto after =
      hard_state_changed_ ? last_sequence_ + 1 : hard_state_sequence_;
  if (after <= persisted_sequence_ ||
      mutated(raft_mutation::send_before_hard_state_flush)) {
    messages_.push_back({to, std::move(m)});
    return;
  }
  if (held_.size() < options_.held_messages_max)
    held_.push_back({after, {to, std::move(m)}});
}

void raft::set_hard_state(core::term term, core::node_id vote) {
  hard_ = {term, vote};
  hard_state_changed_ = true;
  dirty_ = true;
}

void raft::append_to_log(entry e) {
  if (e.kind == entry_kind::configuration) {
    auto members = decode_configuration(e.data.view());
    TROUPE_ASSERT(members.has_value(), "configurations are checked before");
    configurations_.append(core::next(log_.last()), *std::move(members));
  }
  log_.append(std::move(e));
  dirty_ = true;
}

void raft::append_local(entry e) {
  uncommitted_bytes_ += sizeof(entry) + e.data.size();
  append_to_log(std::move(e));
}

// --------------------------------------------------------------------- events

void raft::step(core::node_id from, message m, core::steady_time now) {
  if (fatal_ || from == self_ || from == core::node_id{})
    return;
  now_ = now;
  dirty_ = true;
  std::visit([&](auto& body) { on(from, body); }, m);
}

void raft::tick(core::steady_time now) {
  if (fatal_)
    return;
  now_ = now;
  if (leads()) {
    tick_leader();
    return;
  }
  if (now - timer_ >= timeout_ && !installing_)
    campaign(true, false);
}

core::steady_time raft::next_tick() const {
  return leads() ? now_ + options_.heartbeat : timer_ + timeout_;
}

void raft::persisted(std::uint64_t sequence) {
  TROUPE_ASSERT(sequence <= last_sequence_, "only what was handed out");
  if (fatal_ || sequence <= persisted_sequence_)
    return;
  persisted_sequence_ = sequence;
  dirty_ = true;
  const auto before = std::min(verified_, flushed_);
  while (!flights_.empty() && flights_.front().sequence <= sequence) {
    const auto last = std::min(flights_.front().last, log_.last());
    flushed_ = std::max(flushed_, last);
    flights_.pop_front();
  }
  while (!held_.empty() && held_.front().after <= sequence) {
    messages_.push_back(std::move(held_.front().out));
    held_.pop_front();
  }
  if (leads())
    advance_commit();
  else if (std::min(verified_, flushed_) > before)
    acknowledge(0);
}

// --------------------------------------------------------------------- output

output raft::take_output() {
  output out;
  if (!std::exchange(dirty_, false) || fatal_)
    return out;
  if (leads())
    replicate();
  collect_write(out);
  collect_committed(out);
  collect_reads(out);
  out.messages = std::exchange(messages_, {});
  out.send_snapshots = std::exchange(send_snapshots_, {});
  out.install = std::exchange(install_, std::nullopt);
  if (reported_leads_ != leads() || reported_leader_ != leader_ ||
      reported_term_ != hard_.term) {
    out.leadership_changed = true;
    reported_leads_ = leads();
    reported_leader_ = leader_;
    reported_term_ = hard_.term;
  }
  return out;
}

void raft::collect_write(output& out) {
  const bool has_entries = submitted_ < log_.last();
  if (!hard_state_changed_ && !snapshot_to_write_ && !truncate_from_ &&
      !trim_to_ && !has_entries)
    return;
  auto& w = out.write.emplace();
  w.sequence = ++last_sequence_;
  if (std::exchange(hard_state_changed_, false)) {
    hard_state_sequence_ = w.sequence;
    w.hard_state = hard_;
    if (mutated(raft_mutation::vote_not_persisted))
      w.hard_state->vote = {};
  }
  w.snapshot = std::exchange(snapshot_to_write_, std::nullopt);
  w.replace_log = std::exchange(replace_log_, false);
  w.truncate_from = std::exchange(truncate_from_, std::nullopt);
  w.trim_to = std::exchange(trim_to_, std::nullopt);
  w.first = core::next(submitted_);
  if (has_entries) {
    w.entries.reserve(log_.last().value() - submitted_.value());
    for (auto i = w.first; i <= log_.last(); ++i)
      w.entries.push_back(log_.at(i));
    submitted_ = log_.last();
  }
  flights_.push_back({w.sequence, submitted_});
}

void raft::collect_committed(output& out) {
  // Entries not yet flushed here wait, so that the state machine is never
  // ahead of its own log; while a snapshot is installed it stands still.
  const auto through = mutated(raft_mutation::apply_uncommitted)
                           ? std::min(log_.last(), flushed_)
                           : std::min(commit_, flushed_);
  if (installing_ || applied_ >= through)
    return;
  out.committed.reserve(through.value() - applied_.value());
  while (applied_ < through) {
    ++applied_;
    const auto& e = log_.at(applied_);
    if (leads() && applied_ >= term_start_)
      uncommitted_bytes_ -=
          std::min(uncommitted_bytes_, sizeof(entry) + e.data.size());
    out.committed.push_back({applied_, e.term, e.kind, e.data});
    if (e.kind == entry_kind::configuration && leads())
      finish_configuration_change(applied_);
  }
}

void raft::collect_reads(output& out) {
  while (!answered_reads_.empty() &&
         answered_reads_.front().index <= applied_) {
    out.reads.push_back(answered_reads_.front());
    answered_reads_.pop_front();
  }
}

} // namespace troupe::cluster
