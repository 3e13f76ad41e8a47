// SPDX-License-Identifier: Apache-2.0
#include "actors/shard_actor.hpp"

#include "schema/command_wire.hpp"
#include "storage/fatal.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>
#include <variant>

namespace troupe::actors {
namespace {

constexpr core::milliseconds full_sweep_interval = std::chrono::minutes{10};

/// May change what the keys of a shard take.
bool changes_keys(const core::shard_command& command) {
  return std::holds_alternative<core::set_key>(command) ||
         std::holds_alternative<core::clear_key>(command) ||
         std::holds_alternative<core::sweep_expired>(command);
}
/// Commands from open_session on are about sessions; sweeps change them, too.
bool changes_sessions(const core::shard_command& command) {
  static const auto first = core::shard_command{core::open_session{}}.index();
  return command.index() >= first;
}

} // namespace

shard_state::shard_state(pointer ptr) : self_(ptr) {}

std::string shard_state::path() const {
  return "shards/" + std::to_string(group_->group().value());
}

void shard_state::start(shard_deps deps) {
  context_ = deps.context;
  const auto group = deps.group.replica.group;
  tables_ = std::make_unique<schema::stored_inboxes>(*deps.group.replica.space);
  keys_ = std::make_unique<schema::stored_keys>(*deps.group.replica.space);
  sessions_ =
      std::make_unique<schema::stored_sessions>(*deps.group.replica.space);
  inboxes_.emplace(self_, *context_);
  watch_.emplace(session_watch::parts{
      *context_, *sessions_,
      [this](const core::owner& who) { return inboxes_->observes(who); },
      [this](core::shard_command command) {
        return propose_own(std::move(command), false);
      }});
  names_.emplace(names::name_keeper::parts{
      *context_, group, [this](const names::client_name& who) {
        return sessions_
            ->session({who.realm, core::owner_kind::session, who.name})
            .has_value();
      }});
  group_timers timers;
  timers.tick = [this](core::milliseconds after, std::uint32_t number) {
    self_->delayed_send(self_, after, raft_tick{number});
  };
  timers.flush = [this] { schedule_flush_tick(); };
  group_ = std::make_unique<replicated_group<shard_client, shard_answers>>(
      "shard " + std::to_string(group.value()), *context_,
      std::move(deps.group), std::move(timers),
      [this](core::log_index index, const core::shared_bytes& raw) {
        return apply(index, raw);
      },
      [this] { make_machine(); });
  make_machine();
  last_full_sweep_ = context_->clock.now();
  group_->start();
  settle();
  self_->delayed_send(self_, context_->options.sweep_interval, sweep_tick{});
}

void shard_state::make_machine() {
  machine_.emplace(group_->group(),
                   core::shard_tables{*tables_, *keys_, *sessions_},
                   core::shard_observers{&*inboxes_, nullptr, &*watch_});
  sessions_changed_ = true;
  show_keys();
}

// --------------------------------------------------------------- proposals

void shard_state::propose(shard_proposals& batch) {
  // A flush is coming anyway: the moves share it. They go first, so that who
  // acknowledged before this was asked for has done so before it happens.
  propose_cursors();
  group_->propose(batch.items, batch.from);
  settle();
}

void shard_state::schedule_flush_tick() {
  if (std::exchange(flush_pending_, true))
    return;
  self_->delayed_send(self_, context_->options.cursor_interval, flush_tick{});
}

bool shard_state::propose_own(core::shard_command command, bool grows,
                              core::log_index* index) {
  // Without a key: it is never repeated, and a number taken here would overtake
  // those of proposals that wait in the mailbox, which then look too old.
  const auto placed = group_->propose_own(
      schema::encode(core::logged_shard_command{{}, {}, std::move(command)}),
      grows);
  if (placed && index != nullptr)
    *index = *placed;
  return placed.has_value();
}

core::shard_outcome shard_state::apply(core::log_index index,
                                       const core::shared_bytes& raw) {
  auto command = schema::decode_shard_command(raw);
  if (!command)
    storage::stop_the_node(group_->name() + ", log index " +
                           std::to_string(index.value()) + ": " +
                           core::to_string(command.error()));
  auto outcome = machine_->apply(index, *command, raw);
  if (std::holds_alternative<core::sweep_expired>(command->command)) {
    sweep_again_ = outcome.more;
    session_sweep_ = false;
    sessions_changed_ = true;
  } else {
    ++applied_since_sweep_;
    sessions_changed_ = sessions_changed_ || changes_sessions(command->command);
  }
  if (changes_keys(command->command))
    show_keys();
  auto& stats = context_->stats;
  if (outcome.dropped > 0)
    stats.messages_dropped.fetch_add(outcome.dropped,
                                     std::memory_order_relaxed);
  if (outcome.failure.code == core::errc::duplicate)
    stats.commands_duplicate.fetch_add(1, std::memory_order_relaxed);
  if (auto waiting = attaches_.find(index); waiting != attaches_.end()) {
    auto request = std::move(waiting->second);
    attaches_.erase(waiting);
    attach_here(request, standing());
  }
  return outcome;
}

void shard_state::settle() {
  group_->settle();
  if (std::exchange(led_, group_->leads()) && !led_)
    release_inboxes();
  context_->views[group_->group().value()].leads.store(
      led_, std::memory_order_relaxed);
  accede();
  inboxes_->send_changes(); // before the answers: see inbox_fence
  group_->send_answers(self_);
  propose_policy_if_changed();
  continue_sweep();
  look_at_sessions();
  look_at_names();
  finish_retirement_if_quiet();
}

void shard_state::propose_policy_if_changed() {
  if (!group_->ready())
    return;
  if (!session_policy_proposed_)
    session_policy_proposed_ =
        machine_->policy_of_sessions() == context_->options.sessions ||
        propose_own(core::set_session_policy{context_->options.sessions},
                    false);
  if (policy_proposed_)
    return;
  // Tried again at the next occasion if the log has no room yet.
  policy_proposed_ =
      machine_->policy() == context_->options.inbox ||
      propose_own(core::set_inbox_policy{context_->options.inbox}, false);
  policy_proposed_ =
      policy_proposed_ &&
      (machine_->policy_of_keys() == context_->options.keys ||
       propose_own(core::set_key_policy{context_->options.keys}, false));
  group_->settle();
}

/// A sweep takes so much at once that posts need not wait long for it.
void shard_state::continue_sweep() {
  if (!std::exchange(sweep_again_, false) || group_->retiring())
    return;
  if (propose_own(core::sweep_expired{}, false))
    group_->settle();
}

// ------------------------------------------------------------------ inboxes

void shard_state::refuse(const attach_request& request, core::error why) {
  attached answer;
  answer.ticket = request.ticket;
  if (why.code == core::errc::not_leader)
    answer.leader = group_->leader_hint();
  answer.failure = std::move(why);
  self_->send(request.session, std::move(answer));
}

core::errc shard_state::standing() const {
  if (group_->retiring())
    return core::errc::shutting_down;
  if (!group_->leads())
    return core::errc::not_leader;
  return group_->ready() ? core::errc::ok : core::errc::unavailable;
}

void shard_state::when_sure(std::function<void(core::errc)> then) {
  if (!context_->options.clustered || !group_->ready())
    then(standing());
  else
    group_->read([this, then = std::move(then)](core::errc why) {
      then(why == core::errc::ok ? standing() : why);
    });
  settle();
}

void shard_state::attach(attach_request& request) {
  // Its devices must not be served by two.
  when_sure(
      [this, request](core::errc why) mutable { attach_here(request, why); });
}

void shard_state::attach_here(attach_request& request, core::errc why) {
  if (why != core::errc::ok)
    return refuse(request, {why, {}});
  if (request.inbox.kind == core::owner_kind::session)
    return attach_session(request);
  auto head = tables_->head(request.inbox);
  if (head) {
    for (auto& c : head->cursors) {
      if (c.device != request.device)
        continue;
      // The queue of a device that was away for too long has ended.
      if (machine_->inboxes().inactive(*head, c, group_->next_time()))
        c.acknowledged = head->lost = head->last;
      return inboxes_->pass_on(request, *head, accession_);
    }
  }
  // The directory knows the device, the inbox does not: the node died between
  // the two halves of a registration. Or the user is gone meanwhile; then
  // nothing must be made that nobody would remove.
  const auto user =
      context_->directory->find_user(request.inbox.realm, request.inbox.name);
  if (!user || core::find_device(*user, request.device) == nullptr)
    return refuse(request, {core::errc::user_unknown, request.inbox.name});
  core::log_index index;
  if (!propose_own(
          core::add_cursor{request.inbox, request.device, request.inherit},
          true, &index))
    return refuse(request, {core::errc::overloaded, {}});
  attaches_.emplace(index, std::move(request));
}

/// What is in the log by now may have been delivered by another node.
void shard_state::accede() {
  if (!group_->ready() || std::exchange(acceded_, true))
    return;
  watch_->begin(context_->clock.now());
  sessions_changed_ = true;
  accession_ = {};
  const auto grace = context_->options.claim_grace;
  if (!context_->options.clustered || grace.count() == 0)
    return;
  // In a cluster of one no session has outlived the leader before.
  const auto& core = group_->consensus();
  std::size_t nodes = 0;
  if (context_->directory != nullptr)
    context_->directory->each_node(
        [&](core::node_id, const auto&) { return ++nodes < 2; });
  if (nodes < 2 && core.members().is_lone_voter(core.self()) &&
      core.members().learners.empty())
    return;
  accession_ = {core.applied(), context_->clock.now() + grace};
}

void shard_state::release_inboxes() {
  acceded_ = session_sweep_ = false;
  watch_->end();
  names_->release();
  inboxes_->release();
  for (auto& [index, request] : std::exchange(attaches_, {}))
    attach_here(request, standing());
}

void shard_state::gather(cursor_moves& moves) {
  inboxes_->gather(moves);
  schedule_flush_tick();
}

void shard_state::propose_cursors() {
  const bool all = inboxes_->offer_moves([this](core::move_cursors command) {
    return propose_own(std::move(command), false);
  });
  if (!all)
    schedule_flush_tick(); // and try again
}

void shard_state::on_flush_tick() {
  flush_pending_ = false;
  propose_cursors();
  group_->place_waiting();
  settle();
}

void shard_state::fetch(const fetch_entries& request) {
  fetched_entries found;
  found.device = request.device;
  found.from = found.next = request.from;
  const auto head = tables_->head(request.owner);
  if (head) {
    std::size_t bytes = 0;
    found.next = core::next(head->last);
    tables_->each_entry(
        head->number, request.from, [&](const core::inbox_entry& e) {
          if (found.items.size() >= request.count_max ||
              (bytes > 0 && bytes + e.weight > request.bytes_max)) {
            found.next = e.position;
            return false;
          }
          bytes += e.weight;
          auto body = tables_->body(e.source);
          auto message =
              body ? schema::decode_message(*body, group_->group(), e.source,
                                            e.ordinal, e.recipient)
                   : core::errc::not_found;
          if (!message) {
            context_->stats.unreadable_messages.fetch_add(
                1, std::memory_order_relaxed);
            return true;
          }
          message->expires = e.expires;
          found.items.push_back(
              {e, std::make_shared<core::message>(std::move(*message))});
          return true;
        });
  }
  self_->send(request.inbox, std::move(found));
}

// --------------------------------------------------------------------- keys

void shard_state::read_keys(keys::keys_asked& question) {
  // What was acknowledged before it was asked for is in the answer, also if
  // another one has come to lead meanwhile.
  when_sure([this, question](core::errc why) { answer(question, why); });
}

void shard_state::answer(const keys::keys_asked& question, core::errc why) {
  keys::keys_found found;
  found.ticket = question.ticket;
  found.failure = why;
  if (found.failure == core::errc::not_leader)
    found.leader = group_->leader_hint();
  if (found.failure == core::errc::ok)
    found.page =
        core::find_keys(*keys_, question.realm, question.filter, question.after,
                        question.limits, group_->next_time());
  self_->send(question.from, std::move(found));
}

void shard_state::show_keys() {
  const auto totals = keys_->totals_of_keys();
  auto& view = context_->views[group_->group().value()];
  view.keys.store(totals.keys, std::memory_order_relaxed);
  view.key_bytes.store(totals.bytes, std::memory_order_relaxed);
}

// ---------------------------------------------- replication, storage, time

void shard_state::on_frame(group_frame& frame) {
  group_->on_frame(frame);
  settle();
}

void shard_state::on_task(const group_task& task) {
  group_->on_task(task);
  settle();
}

void shard_state::on_persisted(std::uint64_t write) {
  group_->on_persisted(write);
  settle();
}

void shard_state::on_state_committed(core::log_index applied) {
  group_->on_state_committed(applied);
  settle();
}

void shard_state::on_raft_tick(std::uint32_t number) {
  group_->on_tick(number);
  settle();
}

void shard_state::on_sweep_tick() {
  if (group_->retiring())
    return;
  self_->delayed_send(self_, context_->options.sweep_interval, sweep_tick{});
  if (!group_->ready())
    return;
  const auto now = context_->clock.now();
  sessions_changed_ = true;
  const bool full =
      applied_since_sweep_ > 0 && now - last_full_sweep_ >= full_sweep_interval;
  const auto at = group_->next_time();
  if (full || !tables_->expired(at, 1).empty() ||
      !keys_->expired_keys(at, 1).empty()) {
    last_full_sweep_ = now;
    propose_own(core::sweep_expired{}, false);
    applied_since_sweep_ = 0;
  }
  settle();
}

void shard_state::begin_retirement() {
  group_->begin_retirement();
  // Each sends the last moves of its cursors before it ends.
  self_->set_down_handler([this](const caf::down_msg&) {
    --inboxes_ending_;
    settle();
  });
  inboxes_ending_ += inboxes_->retire_all();
  settle();
}

void shard_state::finish_retirement_if_quiet() {
  if (!group_->retiring() || inboxes_ending_ > 0)
    return;
  propose_cursors();
  group_->settle();
  if (!group_->quiet() || (inboxes_->moves() > 0 && group_->leads()))
    return;
  if (!group_->handed_over() || !group_->quiet())
    return;
  group_->report_retired();
  self_->quit();
}

shard_actor::behavior_type shard_behavior(shard_state::pointer self,
                                          shard_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      [&st](shard_proposals& m) { st.propose(m); },
      [&st](attach_request& m) { st.attach(m); },
      [&st](cursor_moves& m) { st.gather(m); },
      [&st](const fetch_entries& m) { st.fetch(m); },
      [&st](keys::keys_asked& m) { st.read_keys(m); },
      [&st](const passivate_inbox& m) { st.passivate(m); },
      [&st](names::names_claimed& m) { st.claim_names(m); },
      [&st](const names::names_freed& m) { st.free_names(m); },
      [&st](const names::names_cut& m) { st.on_names_cut(m); },
      [&st](group_frame& m) { st.on_frame(m); },
      [&st](const group_task& m) { st.on_task(m); },
      [&st](const log_persisted& m) { st.on_persisted(m.write); },
      [&st](const state_committed& m) { st.on_state_committed(m.applied); },
      [&st](const raft_tick& m) { st.on_raft_tick(m.number); },
      [&st](const flush_tick&) { st.on_flush_tick(); },
      [&st](const sweep_tick&) { st.on_sweep_tick(); },
      [&st](const due_tick&) { st.on_due_tick(); },
      [&st](const retire&) { st.begin_retirement(); },
      [&st](const inspect&) { return st.describe(); },
      [&st](const inspect_inbox& m) { return st.inspect_one(m.inbox); },
      [&st](const inspect_sessions& m) { return st.list_sessions(m); },
  };
}

} // namespace troupe::actors
