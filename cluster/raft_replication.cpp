// SPDX-License-Identifier: Apache-2.0
#include "cluster/raft.hpp"

#include <algorithm>
#include <utility>

namespace troupe::cluster {

const progress* raft::progress_of(core::node_id node) const {
  const auto found = peers_.find(node);
  return leads() && found != peers_.end() ? &found->second : nullptr;
}

bool raft::is_near(core::node_id node, std::uint64_t lag) const {
  if (node == self_)
    return leads();
  const auto* peer = progress_of(node);
  return peer != nullptr && peer->state == progress::mode::replicate &&
         now_ - peer->heard <= options_.election_timeout_min &&
         peer->match.value() + lag >= log_.last().value();
}

core::result<core::log_index> raft::propose(core::shared_bytes command) {
  if (!leads())
    return core::errc::not_leader;
  if (transfer_to_ != core::node_id{})
    return core::errc::unavailable;
  if (uncommitted_bytes_ > 0 &&
      uncommitted_bytes_ + sizeof(entry) + command.size() >
          options_.uncommitted_bytes_max)
    return core::errc::overloaded;
  append_local({hard_.term, entry_kind::command, std::move(command)});
  return log_.last();
}

core::result<void> raft::transfer(core::node_id to) {
  if (!leads())
    return core::errc::not_leader;
  if (transfer_to_ != core::node_id{})
    return core::errc::unavailable;
  if (to == self_ || !members().is_voter(to))
    return core::errc::invalid_config;
  transfer_to_ = to;
  transfer_started_ = now_;
  transfer_announced_ = false;
  dirty_ = true;
  return {};
}

// ---------------------------------------------------------------------- reads

core::result<void> raft::read_index(std::uint64_t token) {
  if (!leads())
    return core::errc::not_leader;
  // Before its own no-op is committed, a leader may not know of everything
  // that its predecessors acknowledged.
  if (!established())
    return core::errc::unavailable;
  if (reads_.size() >= options_.reads_max)
    return core::errc::overloaded;
  dirty_ = true;
  if (members().is_lone_voter(self_) ||
      mutated(raft_mutation::read_without_round)) {
    answered_reads_.push_back({token, core::errc::ok, commit_});
    return {};
  }
  // Only messages sent from now on can confirm: the round begins with them.
  reads_.push_back({token, round_ + 1, commit_});
  round_wanted_ = true;
  return {};
}

void raft::confirm_reads() {
  while (!reads_.empty()) {
    const auto& read = reads_.front();
    std::size_t confirmed = 0;
    for (const auto voter : members().voters) {
      const auto peer = peers_.find(voter);
      confirmed += voter == self_ ||
                   (peer != peers_.end() && peer->second.round >= read.round);
    }
    if (confirmed < members().quorum())
      return;
    answered_reads_.push_back({read.token, core::errc::ok, read.index});
    reads_.pop_front();
  }
}

void raft::fail_reads() {
  for (const auto& read : reads_)
    answered_reads_.push_back({read.token, core::errc::not_leader, {}});
  reads_.clear();
}

// ---------------------------------------------------------------- replication

void raft::match_peers_to_configuration() {
  std::erase_if(peers_,
                [&](const auto& p) { return !members().contains(p.first); });
  const auto add = [&](core::node_id node) {
    if (const auto [peer, added] = peers_.try_emplace(node); added)
      peer->second.next = core::next(log_.last());
  };
  std::for_each(members().voters.begin(), members().voters.end(), add);
  std::for_each(members().learners.begin(), members().learners.end(), add);
  peers_.erase(self_);
}

void raft::tick_leader() {
  check_quorum();
  if (!leads())
    return;
  if (transfer_to_ != core::node_id{} &&
      now_ - transfer_started_ >= options_.election_timeout_min)
    transfer_to_ = {};
  for (auto& [node, peer] : peers_)
    if (peer.state == progress::mode::snapshot && peer.snapshot_deadline &&
        now_ >= *peer.snapshot_deadline)
      peer.become_probe(core::next(peer.match));
  dirty_ = true;
}

void raft::replicate() {
  const bool new_round = std::exchange(round_wanted_, false);
  if (new_round)
    ++round_;
  for (auto& [node, peer] : peers_)
    replicate_to(node, peer, new_round);
}

void raft::replicate_to(core::node_id to, progress& peer, bool new_round) {
  // Ticks come about as often as beats are due; one that is early counts.
  const bool due = new_round || now_ - peer.sent >= options_.heartbeat * 3 / 4;
  if (peer.state == progress::mode::snapshot) {
    if (due)
      send_append(to, peer, {}, false);
    return;
  }
  if (peer.next < log_.first() || !log_.term_at(core::previous(peer.next))) {
    offer_snapshot(to, peer);
    return;
  }
  if (peer.state == progress::mode::probe) {
    // A silent member gets no entries: it may be down for days.
    if (!std::exchange(peer.probing, true) || due)
      send_append(to, peer, core::previous(peer.next), peer.active);
    return;
  }
  const auto behind = [&] {
    return peer.next <= log_.last() &&
           peer.next.value() - 1 - peer.match.value() < options_.window_entries;
  };
  bool sent = false;
  while (behind()) {
    send_append(to, peer, core::previous(peer.next), true);
    sent = true;
  }
  // With nothing on its way, no later message would bring the commit index.
  const bool idle = peer.next == core::next(peer.match);
  if (!sent && (due || (idle && peer.commit_sent < commit_)))
    send_append(to, peer, core::previous(peer.next), false);
  if (transfer_to_ == to && !transfer_announced_ && peer.match == log_.last()) {
    transfer_announced_ = true;
    send(to, timeout_now{hard_.term});
  }
}

/// What was asked under way is not asked again, unless it may be lost.
void raft::ask_whether_it_follows(progress& peer) {
  const auto since = now_ - peer.asked;
  if (!options_.lease ||
      since < (peer.asked_round == 0 ? options_.heartbeat / 2
                                     : options_.heartbeat * 2))
    return;
  peer.asked_round = ++round_;
  peer.asked = now_;
}

core::steady_time raft::lease_end() const {
  if (!leads() || transfer_to_ != core::node_id{})
    return {};
  const auto needed =
      members().quorum() - (members().is_voter(self_) ? 1U : 0U);
  if (needed == 0)
    return core::steady_time::max();
  // The latest time at which so many followed; there are few of them.
  core::steady_time latest{};
  for (const auto& [node, peer] : peers_) {
    const auto as_many = std::count_if(
        peers_.begin(), peers_.end(), [this, &peer = peer](const auto& other) {
          return members().is_voter(other.first) &&
                 other.second.followed >= peer.followed;
        });
    if (members().is_voter(node) && static_cast<std::size_t>(as_many) >= needed)
      latest = std::max(latest, peer.followed);
  }
  return latest == core::steady_time{} ? latest
                                       : latest + options_.election_timeout_min;
}

void raft::send_append(core::node_id to, progress& peer,
                       core::log_index previous, bool with_entries) {
  ask_whether_it_follows(peer);
  append_request m;
  m.term = hard_.term;
  m.previous = previous;
  m.previous_term = log_.term_at(previous).value_or(core::term{});
  m.commit = commit_;
  m.round = round_;
  if (with_entries) {
    std::size_t bytes = 0;
    const auto limit = std::min(log_.last().value(),
                                previous.value() + options_.window_entries);
    for (auto i = core::next(previous); i.value() <= limit; ++i) {
      const auto& e = log_.at(i);
      bytes += e.data.size();
      if (!m.entries.empty() && bytes > options_.message_bytes_max)
        break;
      m.entries.push_back(e);
    }
    if (peer.state == progress::mode::replicate)
      peer.next = core::log_index{previous.value() + m.entries.size() + 1};
  }
  peer.sent = now_;
  peer.commit_sent = commit_;
  send(to, std::move(m));
}

void raft::offer_snapshot(core::node_id to, progress& peer) {
  // Entries are missing only below a snapshot.
  peer.become_snapshot(snapshot_->index);
  send_snapshots_.push_back({to, {hard_.term, *snapshot_}});
}

void raft::snapshot_sent(core::node_id to, bool complete) {
  const auto found = peers_.find(to);
  if (!leads() || found == peers_.end() ||
      found->second.state != progress::mode::snapshot)
    return;
  // A host that can't send now can't either if it is asked again at once.
  found->second.snapshot_deadline =
      now_ + (complete ? options_.snapshot_answer_timeout
                       : options_.election_timeout_min);
}

// -------------------------------------------------------------------- answers

void raft::on(core::node_id from, const append_answer& m) {
  if (m.term > hard_.term) {
    become_follower(m.term, {});
    return;
  }
  const auto found = peers_.find(from);
  if (!leads() || m.term != hard_.term || found == peers_.end())
    return;
  auto& peer = found->second;
  peer.active = true;
  peer.heard = now_;
  if (m.round > peer.round && m.round <= round_) {
    peer.round = m.round;
    if (peer.asked_round != 0 && m.round >= peer.asked_round) {
      peer.followed = peer.asked;
      peer.asked_round = 0;
    }
    confirm_reads();
  }
  if (!m.accepted) {
    on_rejection(peer, m);
    return;
  }
  if (m.index > log_.last())
    return; // not from this log
  const bool advanced = m.index > peer.match;
  peer.match = std::max(peer.match, m.index);
  switch (peer.state) {
  case progress::mode::replicate:
    peer.next = std::max(peer.next, core::next(peer.match));
    break;
  case progress::mode::probe:
    // Late answers from before the probe would start the whole window again.
    if (core::next(peer.match) >= peer.next)
      peer.become_replicate();
    break;
  case progress::mode::snapshot:
    if (core::next(peer.match) >= log_.first() && log_.term_at(peer.match))
      peer.become_replicate();
    break;
  }
  if (advanced)
    advance_commit();
}

/// Continues below what the follower refused. Both sides skip entries that the
/// terms prove different, so a long divergent tail costs one round a term.
void raft::on_rejection(progress& peer, const append_answer& m) {
  const bool stale = peer.state == progress::mode::probe
                         ? m.rejected != core::previous(peer.next)
                         : m.rejected <= peer.match;
  if (stale || peer.state == progress::mode::snapshot ||
      m.rejected == core::log_index{})
    return;
  auto common = std::min({m.index, core::previous(m.rejected), log_.last()});
  while (common > peer.match && log_.contains(common) &&
         *log_.term_at(common) > m.hint_term)
    common = core::previous(common);
  peer.become_probe(core::next(std::max(common, peer.match)));
}

void raft::advance_commit() {
  const auto own =
      mutated(raft_mutation::leader_counts_unflushed) ? log_.last() : flushed_;
  auto agreed = own;
  if (!members().is_lone_voter(self_)) {
    matches_.clear();
    for (const auto voter : members().voters) {
      const auto peer = peers_.find(voter);
      matches_.push_back(voter == self_         ? own
                         : peer != peers_.end() ? peer->second.match
                                                : core::log_index{});
    }
    const auto nth =
        matches_.begin() + static_cast<std::ptrdiff_t>(members().quorum() - 1);
    std::nth_element(matches_.begin(), nth, matches_.end(), std::greater<>{});
    agreed = *nth;
  }
  if (agreed <= commit_)
    return;
  // Raft 5.4.2: an entry of an older term on a majority may still be replaced.
  const bool counts_any = mutated(raft_mutation::old_term_commit) ||
                          mutated(raft_mutation::old_term_commit_without_no_op);
  if (log_.term_at(agreed) == hard_.term || counts_any) {
    commit_ = agreed;
    dirty_ = true;
  }
}

} // namespace troupe::cluster
