// SPDX-License-Identifier: Apache-2.0
#include "cluster/raft.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace troupe::cluster {
namespace {

/// Terms never fall along a log and never exceed the sender's.
bool is_well_formed(const append_request& m) {
  auto previous = m.previous_term;
  for (const auto& e : m.entries) {
    if (e.term < previous || e.term > m.term || e.term == core::term{})
      return false;
    if (e.kind == entry_kind::configuration &&
        !decode_configuration(e.data.view()))
      return false;
    previous = e.term;
  }
  return m.previous_term <= m.term;
}

bool is_well_formed(const install_snapshot& m) {
  return m.meta.index != core::log_index{} && m.meta.term != core::term{} &&
         m.meta.term <= m.term && m.meta.configuration_index <= m.meta.index &&
         is_valid(m.meta.configuration);
}

} // namespace

/// A leader of the current or a newer term has spoken.
bool raft::accept_leader(core::node_id from, core::term term) {
  if (term == hard_.term &&
      (leads() || (leader_ != core::node_id{} && leader_ != from))) {
    fail("two leaders in term " + std::to_string(term.value()));
    return false;
  }
  if (term > hard_.term || role_ != role::follower || leader_ != from)
    become_follower(term, from);
  leader_heard_ = now_;
  timer_ = now_;
  return true;
}

void raft::acknowledge(std::uint64_t round) {
  if (leader_ == core::node_id{} || leads())
    return;
  // What counts is equal to the leader's log, and on disk; a stored entry that
  // this leader has not confirmed may be another one.
  auto index = std::min(verified_, flushed_);
  if (mutated(raft_mutation::acknowledge_before_flush))
    index = verified_;
  if (mutated(raft_mutation::report_stored_index))
    index = flushed_;
  round_answered_ = std::max(round_answered_, round);
  send(leader_, append_answer{hard_.term, true, index, {}, {}, round});
}

void raft::reject(core::node_id to, const append_request& m,
                  core::log_index hint) {
  const auto hint_term = log_.term_at(hint).value_or(core::term{});
  send(to,
       append_answer{hard_.term, false, hint, m.previous, hint_term, m.round});
}

void raft::on(core::node_id from, append_request& m) {
  if (!is_well_formed(m))
    return;
  if (m.term < hard_.term) {
    m.round = 0;
    reject(from, m, {}); // the newer term is the message
    return;
  }
  if (!accept_leader(from, m.term))
    return;
  if (installing_) {
    acknowledge(m.round); // alive, but can't take entries
    return;
  }
  if (!previous_matches(from, m))
    return;
  bool appended = false;
  const auto last = store(m, appended);
  if (fatal_)
    return;
  verified_ = std::max(verified_, last);
  // Only what this message has verified; a tail behind it may be another one.
  const auto known =
      mutated(raft_mutation::commit_beyond_verified) ? log_.last() : last;
  commit_ = std::max(commit_, std::min(m.commit, known));
  // New entries are acknowledged when they are flushed; a round at once.
  if (!appended || m.round > round_answered_ ||
      mutated(raft_mutation::acknowledge_before_flush))
    acknowledge(m.round);
}

bool raft::previous_matches(core::node_id from, const append_request& m) {
  if (m.previous > log_.last()) {
    reject(from, m, log_.last());
    return false;
  }
  const auto own = log_.term_at(m.previous);
  if (!own || *own == m.previous_term)
    return true; // unknown: compacted, so it is committed and equal
  if (m.previous <= commit_) {
    fail_on_contradiction(m.previous);
    return false;
  }
  auto hint = core::previous(m.previous);
  while (hint > commit_ &&
         log_.term_at(hint).value_or(core::term{}) > m.previous_term)
    hint = core::previous(hint);
  reject(from, m, hint);
  return false;
}

void raft::fail_on_contradiction(core::log_index index) {
  fail("a leader contradicts the committed entry " +
       std::to_string(index.value()));
}

/// Adds what is missing; returns the last index that the message covers.
core::log_index raft::store(append_request& m, bool& appended) {
  auto index = m.previous;
  for (auto& e : m.entries) {
    const auto at = core::next(index);
    const auto own = log_.term_at(at);
    if (own != e.term) {
      if (at <= commit_ && own) {
        fail_on_contradiction(at);
        return index;
      }
      if (at > commit_) {
        if (at <= log_.last())
          truncate(at);
        append_to_log(std::move(e));
        appended = true;
      }
    }
    index = at;
  }
  return index;
}

/// Drops entries that a leader has replaced. REQUIRES: from > commit().
void raft::truncate(core::log_index from) {
  const auto last = core::previous(from);
  log_.truncate(from);
  if (!mutated(raft_mutation::no_configuration_rollback))
    configurations_.truncate(from);
  verified_ = std::min(verified_, last);
  flushed_ = std::min(flushed_, last);
  if (submitted_ >= from) {
    submitted_ = last;
    truncate_from_ = std::min(truncate_from_.value_or(from), from);
  }
  // Writes under way hold entries that are gone; their end proves nothing
  // about those which take their places.
  if (!mutated(raft_mutation::stale_completion_counts))
    for (auto& f : flights_)
      f.last = std::min(f.last, last);
}

void raft::on(core::node_id from, install_snapshot& m) {
  if (!is_well_formed(m))
    return;
  if (m.term < hard_.term) {
    send(from, append_answer{hard_.term, false, {}, m.meta.index, {}, 0});
    return;
  }
  if (!accept_leader(from, m.term) || installing_)
    return;
  const auto index = m.meta.index;
  if (index <= commit_) {
    verified_ = std::max(verified_, commit_);
    acknowledge(0);
    return;
  }
  // A log that has the last entry has all of them, and perhaps more that the
  // leader counts on: it must not be replaced.
  if (log_.term_at(index) == m.meta.term &&
      !mutated(raft_mutation::snapshot_wipes_tail)) {
    verified_ = std::max(verified_, index);
    commit_ = index;
    acknowledge(0);
    return;
  }
  installing_ = true;
  install_ = std::move(m.meta);
}

} // namespace troupe::cluster
