// SPDX-License-Identifier: Apache-2.0
#include "cluster/raft.hpp"

#include <algorithm>

namespace troupe::cluster {

void raft::restart_election_timer() {
  const auto least = options_.election_timeout_min;
  const auto spread = options_.election_timeout_max - least;
  timer_ = now_;
  timeout_ = least;
  if (spread.count() > 0)
    timeout_ += core::milliseconds{static_cast<core::milliseconds::rep>(
        random_() % (static_cast<std::uint64_t>(spread.count()) + 1))};
}

/// While this holds, nobody may be elected but with the leader's consent: a
/// node that was cut off must not depose a leader that others hear (Raft
/// dissertation 4.2.3).
bool raft::leader_is_alive() const {
  if (leads())
    return true;
  return leader_ != core::node_id{} &&
         now_ - leader_heard_ < options_.election_timeout_min;
}

void raft::become_follower(core::term term, core::node_id leader) {
  const bool newer = term > hard_.term;
  if (newer)
    set_hard_state(term, {});
  if (newer || leader_ != leader || role_ != role::follower) {
    if (!mutated(raft_mutation::verified_survives_term))
      verified_ = commit_;
    round_answered_ = 0;
  }
  if (role_ == role::leader) {
    fail_reads();
    peers_.clear();
    transfer_to_ = {};
  }
  role_ = role::follower;
  leader_ = leader;
  restart_election_timer();
  dirty_ = true;
}

void raft::become_leader() {
  role_ = role::leader;
  leader_ = self_;
  peers_.clear();
  match_peers_to_configuration();
  quorum_checked_ = now_;
  transfer_to_ = {};
  uncommitted_bytes_ = 0;
  // Entries of older terms are committed only through one of the own term
  // (Raft 5.4.2), so there must be one.
  if (!mutated(raft_mutation::old_term_commit_without_no_op))
    append_local({hard_.term, entry_kind::no_op, {}});
  term_start_ = log_.last();
  dirty_ = true;
}

void raft::campaign(bool pre, bool forced) {
  leader_ = {};
  restart_election_timer();
  dirty_ = true;
  if (!members().is_voter(self_)) {
    role_ = role::follower;
    return;
  }
  if (mutated(raft_mutation::lone_voter_keeps_term) &&
      members().is_lone_voter(self_)) {
    become_leader();
    return;
  }
  granted_ = {self_};
  refused_.clear();
  verified_ = commit_;
  role_ = pre ? role::pre_candidate : role::candidate;
  if (!pre)
    set_hard_state(core::next(hard_.term), self_);
  const auto term = pre ? core::next(hard_.term) : hard_.term;
  for (const auto voter : members().voters)
    if (voter != self_)
      send(voter,
           vote_request{term, log_.last(), log_.last_term(), pre, forced});
  count_votes();
}

void raft::count_votes() {
  const auto& voters = members().voters;
  const auto among = [&](const std::set<core::node_id>& nodes) {
    return static_cast<std::size_t>(
        std::count_if(voters.begin(), voters.end(),
                      [&](core::node_id v) { return nodes.contains(v); }));
  };
  if (among(granted_) >= members().quorum()) {
    if (role_ == role::pre_candidate)
      campaign(false, false);
    else
      become_leader();
  } else if (role_ == role::pre_candidate &&
             among(refused_) >= members().quorum()) {
    role_ = role::follower;
  }
}

/// A leader that a majority does not answer may have been replaced already:
/// it steps down, so that its clients look elsewhere.
void raft::check_quorum() {
  if (now_ - quorum_checked_ < options_.election_timeout_min)
    return;
  quorum_checked_ = now_;
  std::size_t active = members().is_voter(self_) ? 1 : 0;
  for (auto& [node, peer] : peers_) {
    active += peer.active && members().is_voter(node) ? 1U : 0U;
    peer.active = false;
  }
  if (active < members().quorum())
    become_follower(hard_.term, {});
}

void raft::on(core::node_id from, const vote_request& m) {
  // Without a configuration nothing is known of the group. If this node once
  // was a voter, its promises are gone with the rest of its record.
  if (members().voters.empty()) {
    send(from, vote_answer{hard_.term, false, m.pre});
    return;
  }
  if (leader_is_alive() && !m.forced) {
    if (m.pre)
      send(from, vote_answer{hard_.term, false, true});
    return;
  }
  // Raft 5.4.1: the candidate's log must hold everything committed.
  const auto last_term = log_.last_term();
  const bool up_to_date = m.last_term > last_term ||
                          (m.last_term == last_term && m.last >= log_.last()) ||
                          mutated(raft_mutation::vote_without_log_check);
  if (m.pre) {
    const bool granted = m.term > hard_.term && up_to_date;
    send(from, vote_answer{granted ? m.term : hard_.term, granted, true});
    return;
  }
  if (m.term > hard_.term)
    become_follower(m.term, {});
  const bool granted = m.term == hard_.term && up_to_date &&
                       role_ == role::follower &&
                       (hard_.vote == core::node_id{} || hard_.vote == from);
  if (granted) {
    if (hard_.vote != from)
      set_hard_state(hard_.term, from);
    restart_election_timer();
  }
  send(from, vote_answer{hard_.term, granted, false});
}

void raft::on(core::node_id from, const vote_answer& m) {
  // What was granted in advance is a term that nobody has entered yet.
  if (m.term > hard_.term && !(m.pre && m.granted)) {
    become_follower(m.term, {});
    return;
  }
  if (m.pre) {
    if (role_ != role::pre_candidate ||
        (m.granted && m.term != core::next(hard_.term)))
      return;
  } else if (role_ != role::candidate || m.term != hard_.term) {
    return;
  }
  (m.granted ? granted_ : refused_).insert(from);
  count_votes();
}

void raft::on(core::node_id from, const timeout_now& m) {
  if (m.term == hard_.term && role_ == role::follower && from == leader_ &&
      !installing_)
    campaign(false, true);
}

} // namespace troupe::cluster
