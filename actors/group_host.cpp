// SPDX-License-Identifier: Apache-2.0
#include "actors/group_host.hpp"

#include "actors/attachment_table.hpp"
#include "actors/inspection.hpp"
#include "actors/messages.hpp"
#include "actors/names/name_wire.hpp"
#include "cluster/raft_wire.hpp"
#include "storage/fatal.hpp"

#include <algorithm>
#include <random>
#include <utility>
#include <variant>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// A lone voter needs no heart-beat; the tick then only retries writes.
constexpr core::milliseconds tick_alone{500};
/// Also of a leader: its beats, and what its followers lack.
constexpr core::milliseconds tick_replicated{200};
constexpr core::milliseconds tick_busy{50};
constexpr core::milliseconds tick_least{10};

/// Beside large messages, a leader is heard of this often.
constexpr core::milliseconds beat_interval{100};
/// How long a node that stops waits for another one to lead.
constexpr core::milliseconds hand_over_patience{1'000};

void count(broker_stats::counter& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

} // namespace

group_host::group_host(std::string name, broker_context& context,
                       group_deps deps, group_timers timers)
    : name_(std::move(name)), context_(context), group_(deps.replica.group),
      transport_(deps.transport), timers_(std::move(timers)),
      replica_(std::move(deps.replica), *this), around_{group_,
                                                        deps.transport,
                                                        deps.snapshots,
                                                        &replica_,
                                                        &context.clock,
                                                        &context.stats},
      receiver_(around_, [this] { on_replaced(); }),
      steward_(group_, context, replica_, deps.transport),
      last_number_(std::uint64_t{std::random_device{}()} << 31U) {}

void group_host::start() {
  replica_.start();
  ask_for_tick();
}

void group_host::on_tick(std::uint32_t number) {
  if (number != last_tick_)
    return;
  replica_.tick(dismissed_);
  for (auto& [node, sender] : senders_)
    sender->on_tick();
  receiver_.on_tick();
  if (clustered())
    show_lag();
  if (!retiring_)
    steward_.on_tick();
  // Also while it retires: a write may wait for room.
  ask_for_tick();
}

void group_host::ask_for_tick() { timers_.tick(until_tick(), ++last_tick_); }

/// Ticks are most of what an idle node costs. A leader's come with its beats; a
/// follower that hears its leader has nothing to do before it would campaign.
/// All groups of a node tick together: one wake-up, and one batch of beats to
/// each peer.
core::milliseconds group_host::until_tick() const {
  if (retiring_ || !senders_.empty())
    return tick_busy;
  if (replica_.alone() || dismissed_)
    return until_common(tick_alone);
  if (leads())
    return until_common(tick_replicated);
  const auto left = std::chrono::ceil<core::milliseconds>(
      consensus().next_tick() - context_.clock.now());
  if (left <= tick_replicated)
    return std::max(left, tick_least);
  return until_common(std::min(left, tick_alone));
}

/// The last common time of all groups within `period`, but not at once. The
/// nodes have different ones, since candidates that come at the same moment
/// split the votes.
core::milliseconds group_host::until_common(core::milliseconds period) const {
  const core::milliseconds phase{25 * (consensus().self().value() % 4)};
  const auto time = context_.clock.now().time_since_epoch() + phase;
  const auto past = std::chrono::duration_cast<core::milliseconds>(
      (time + period) % tick_replicated);
  return period - past + (past > period / 2 ? tick_replicated : 0ms);
}

void group_host::begin_retirement() {
  retiring_ = true;
  ask_for_tick();
}

void group_host::settle() {
  replica_.pump();
  if (const auto& broken = replica_.consensus().fatal())
    storage::stop_the_node(name_ + ": " + core::to_string(*broken));
  std::erase_if(senders_, [](const auto& s) { return s.second->finished(); });
  if (!leads())
    on_deposed();
  if (clustered()) {
    show_role();
    context_.views[group_.value()].lease_end.store(
        consensus().lease_end().time_since_epoch().count(),
        std::memory_order_relaxed);
  }
  if (!counted_ready_ && serves()) {
    counted_ready_ = true;
    context_.groups_ready.fetch_add(1);
  }
}

void group_host::show_role() {
  const auto& core = replica_.consensus();
  const auto& members = core.members();
  // Whoever was removed never gets the entry that says so.
  const auto role = dismissed_                        ? replica_role::none
                    : members.is_voter(core.self())   ? replica_role::voter
                    : members.is_learner(core.self()) ? replica_role::learner
                                                      : replica_role::none;
  context_.views[group_.value()].role.store(role, std::memory_order_relaxed);
}

void group_host::show_lag() {
  const auto& core = replica_.consensus();
  std::uint64_t lag = 0;
  if (core.leads())
    for (const auto* list : {&core.members().voters, &core.members().learners})
      for (const auto node : *list)
        if (const auto* peer = core.progress_of(node); peer != nullptr)
          lag = std::max(lag, core.last().value() - peer->match.value());
  context_.views[group_.value()].lag.store(lag, std::memory_order_relaxed);
}

/// As much as this node can do for the group by itself: a follower leaves the
/// rest to its leader, and a node without a replica has nothing to do.
bool group_host::serves() const {
  const auto& core = replica_.consensus();
  if (core.leads())
    return ready();
  return core.leader() != core::node_id{} || dismissed_ ||
         core.members().voters.empty();
}

bool group_host::handed_over() {
  if (!leads() || replica_.alone())
    return true;
  const auto now = context_.clock.now();
  if (!hand_over_until_)
    hand_over_until_ = now + hand_over_patience;
  if (!consensus().transferring()) {
    if (!steward_.hand_over())
      return true;
    replica_.pump();
  }
  return !leads() || now >= *hand_over_until_;
}

void group_host::report_retired() { context_.on_retired(group_); }

// ------------------------------------------------------------------ messages

bool group_host::send_frame(core::node_id to, group_frame_kind kind,
                            core::shared_bytes bytes) {
  const bool sent = transport_->send(to, group_, kind, std::move(bytes));
  count(sent ? context_.stats.group_frames_sent
             : context_.stats.group_frames_unsent);
  return sent;
}

void group_host::send(core::node_id to, const cluster::message& message) {
  if (!clustered())
    return;
  const auto* entries = std::get_if<cluster::append_request>(&message);
  if (entries == nullptr) {
    (void)send_frame(to, group_frame_kind::raft, cluster::encode(message));
    return;
  }
  (void)send_frame(to, group_frame_kind::entries, cluster::encode(message));
  // They may wait behind much else; who waits for them must not take it for
  // a leader that is gone.
  const auto now = context_.clock.now();
  auto& last = beats_[to];
  if (entries->entries.empty() || now - last < beat_interval)
    return;
  last = now;
  cluster::append_request beat;
  beat.term = entries->term;
  beat.round = entries->round;
  (void)send_frame(to, group_frame_kind::raft,
                   cluster::encode(cluster::message{std::move(beat)}));
}

bool group_host::guest() const {
  const auto& core = consensus();
  return clustered() && leader() == core::node_id{} &&
         (dismissed_ || !core.members().contains(core.self()));
}

core::node_id group_host::leader_hint() const {
  if (leader() != core::node_id{} || context_.directory == nullptr)
    return leader();
  if (const auto told = context_.announced.leader_of(group_);
      told != core::node_id{} && told != consensus().self())
    return told;
  const auto placed = context_.directory->placement(group_);
  return placed && placed->front() != consensus().self() ? placed->front()
                                                         : core::node_id{};
}

void group_host::on_frame(group_frame& frame) {
  count(context_.stats.group_frames_received);
  bool used = false;
  switch (frame.kind) {
  case group_frame_kind::raft:
  case group_frame_kind::entries:
    used = on_raft_frame(frame.from, std::move(frame.bytes));
    break;
  case group_frame_kind::snapshot_offer:
  case group_frame_kind::snapshot_chunk:
  case group_frame_kind::snapshot_progress:
    used = on_snapshot_frame(frame);
    break;
  case group_frame_kind::proposals:
  case group_frame_kind::answers:
    used = clustered() && on_client_frame(frame);
    break;
  case group_frame_kind::not_member:
    used = on_not_member(frame.bytes);
    break;
  }
  if (!used)
    count(context_.stats.group_frames_unusable);
}

bool group_host::on_raft_frame(core::node_id from, core::shared_bytes bytes) {
  auto message = cluster::decode_message(std::move(bytes));
  // The announcement of a snapshot comes with its contents or not at all.
  if (!message || std::holds_alternative<cluster::install_snapshot>(*message))
    return false;
  if (std::holds_alternative<cluster::vote_request>(*message))
    tell_stranger(from);
  if (std::holds_alternative<cluster::append_request>(*message))
    dismissed_ = false;
  replica_.receive(from, std::move(*message));
  return true;
}

/// Whoever was removed while it was away, or before it heard of it, asks for
/// votes for ever: nobody replicates to it any more.
void group_host::tell_stranger(core::node_id who) {
  const auto& core = consensus();
  if (!core.established() || core.members().contains(who) ||
      core.members_index() > core.commit())
    return;
  (void)send_frame(who, group_frame_kind::not_member,
                   cluster::encode_not_member(core.members_index()));
}

bool group_host::on_not_member(const core::shared_bytes& bytes) {
  const auto index = cluster::decode_not_member(bytes);
  if (!index)
    return false;
  dismissed_ = dismissed_ || *index > consensus().members_index();
  return true;
}

bool group_host::on_snapshot_frame(group_frame& frame) {
  if (!clustered())
    return false;
  if (frame.kind == group_frame_kind::snapshot_offer) {
    const auto m = cluster::decode_snapshot_offer(std::move(frame.bytes));
    if (m)
      receiver_.on_offer(frame.from, *m);
    return m.has_value();
  }
  if (frame.kind == group_frame_kind::snapshot_chunk) {
    const auto m = cluster::decode_snapshot_chunk(std::move(frame.bytes));
    if (m)
      receiver_.on_chunk(frame.from, *m);
    return m.has_value();
  }
  const auto m = cluster::decode_snapshot_progress(std::move(frame.bytes));
  const auto at = senders_.find(frame.from);
  if (m && at != senders_.end())
    at->second->on_progress(*m);
  return m.has_value();
}

void group_host::on_task(const group_task& task) { task.run(); }

void group_host::on_leadership() {
  const bool leads_now = leads();
  if (leads_now != led_) {
    count(leads_now ? context_.stats.leaderships_won
                    : context_.stats.leaderships_lost);
    ask_for_tick();
  }
  led_ = leads_now;
  context_.views[group_.value()].term.store(consensus().current_term().value(),
                                            std::memory_order_relaxed);
  context_.leaders[group_.value()].store(leader().value(),
                                         std::memory_order_relaxed);
  if (leader() != core::node_id{} && context_.attachments != nullptr)
    context_.attachments->on_leader(group_, leader());
  if (leader() != core::node_id{} && context_.names != nullptr)
    names::tell_names_led(context_, group_, leader());
}

void group_host::on_commit_time(std::chrono::nanoseconds taken) {
  context_.stats.commit_times.add(taken);
}

// --------------------------------------------------------------------- reads

void group_host::read(read_function then) {
  const auto token = ++last_read_;
  const auto asked = replica_.consensus().read_index(token);
  if (asked)
    reads_.emplace(token, std::move(then));
  else
    then(asked.error().code);
}

void group_host::on_read(const cluster::read_answer& answer) {
  const auto at = reads_.find(answer.token);
  if (at == reads_.end())
    return;
  const auto then = std::move(at->second);
  reads_.erase(at);
  then(answer.status);
}

// ----------------------------------------------------------------- snapshots

void group_host::send_snapshot(const cluster::snapshot_send& order) {
  auto& place = senders_[order.to];
  place = std::make_unique<snapshot_sender>(around_, order.to,
                                            order.announcement.term);
  place->start();
  ask_for_tick();
}

void group_host::install(const cluster::snapshot_meta& meta) {
  receiver_.install(meta);
}

// --------------------------------------------------------------------- debug

void group_host::describe(core::json_writer& out) const {
  out.member("leads", leads()).member("ready", ready());
  out.member("dismissed", dismissed_);
  describe_raft(out, replica_.consensus());
}

} // namespace troupe::actors
