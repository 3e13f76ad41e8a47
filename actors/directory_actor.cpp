// SPDX-License-Identifier: Apache-2.0
#include "actors/directory_actor.hpp"

#include "actors/inspection.hpp"
#include "actors/list_actor.hpp"
#include "actors/runtime/pinned.hpp"
#include "schema/command_wire.hpp"
#include "storage/fatal.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace troupe::actors {
namespace {

constexpr core::milliseconds tick_alone{500};
constexpr core::milliseconds tick_replicated{50};

core::directory_outcome refusal(core::error why) {
  core::directory_outcome outcome;
  outcome.failure = std::move(why);
  return outcome;
}

} // namespace

directory_state::directory_state(pointer ptr) : self_(ptr) {}

void directory_state::start(directory_deps deps) {
  context_ = deps.context;
  machine_ = std::make_unique<core::directory_machine>(*deps.store);
  replica_ = std::make_unique<replica>(
      std::move(deps.replica),
      [this](core::log_index index, const core::shared_bytes& raw) {
        apply(index, raw);
      });
  replica_->start();
  settle();
  self_->delayed_send(self_, tick_alone, raft_tick{});
}

void directory_state::propose(directory_proposals& batch) {
  const bool low = replica_->storage_is_low();
  for (auto& item : batch.items) {
    auto placed = low && item.grows
                      ? core::result<core::log_index>{core::errc::storage_full}
                      : replica_->propose(std::move(item.command));
    if (placed)
      pending_.push_back({*placed, item.ticket, batch.from});
    else
      answer(batch.from, item.ticket, refusal(placed.error()));
  }
  settle();
}

void directory_state::apply(core::log_index index,
                            const core::shared_bytes& raw) {
  const auto command = schema::decode_directory_command(raw);
  if (!command)
    storage::stop_the_node("directory, log index " +
                           std::to_string(index.value()) + ": " +
                           core::to_string(command.error()));
  auto outcome = machine_->apply(index, *command);
  context_->stats.commands_applied.fetch_add(1, std::memory_order_relaxed);
  if (outcome.failure.code == core::errc::ok)
    tell_lists(command->command);
  if (pending_.empty() || pending_.front().index != index)
    return;
  auto done = std::move(pending_.front());
  pending_.pop_front();
  answer(done.from, done.ticket, std::move(outcome));
}

void directory_state::tell_lists(const core::directory_command& command) {
  if (const auto* edit = std::get_if<core::change_list>(&command)) {
    auto at = lists_.find({edit->realm, edit->list});
    if (at != lists_.end())
      self_->send(at->second.actor, list_changed{});
    return;
  }
  // A user may leave many lists at once, an import touch any.
  if (std::holds_alternative<core::remove_user>(command) ||
      std::holds_alternative<core::import_directory>(command))
    for (const auto& [key, place] : lists_)
      self_->send(place.actor, list_changed{});
}

void directory_state::answer(const directory_client& to, actors::ticket number,
                             core::directory_outcome outcome) {
  auto at = std::find_if(answers_.rbegin(), answers_.rend(),
                         [&](const outbox& o) { return o.to == to; });
  if (at == answers_.rend()) {
    answers_.push_back({to, {}});
    at = answers_.rbegin();
  }
  at->answers.items.push_back({number, std::move(outcome)});
}

void directory_state::settle() {
  replica_->pump();
  if (const auto& broken = replica_->core_state().fatal())
    storage::stop_the_node("directory: " + core::to_string(*broken));
  if (!replica_->leads())
    for (auto& lost : std::exchange(pending_, {}))
      answer(lost.from, lost.ticket, refusal({core::errc::not_leader, {}}));
  if (!ready_ && replica_->ready()) {
    ready_ = true;
    context_->groups_ready.fetch_add(1);
  }
  for (auto& out : std::exchange(answers_, {}))
    self_->send(out.to, std::move(out.answers));
  if (retiring_ && replica_->quiet() && pending_.empty()) {
    context_->on_retired(core::directory_group);
    self_->quit();
  }
}

// -------------------------------------------------------------------- lists

void directory_state::expand(expand_list& question) {
  // No actor for a name that a client made up.
  if (lists_.count({question.realm, question.list}) == 0 &&
      !context_->directory->find_list(question.realm, question.list)) {
    list_expansion unknown;
    unknown.ticket = question.ticket;
    unknown.failure = {core::errc::list_unknown, question.list};
    unknown.list = question.list;
    self_->send(question.from, std::move(unknown));
    return;
  }
  auto& place = lists_[{question.realm, question.list}];
  if (!place.actor)
    place.actor = runtime::spawn_pinned<list_actor, list_state>(
        self_->home_system(), runtime::home_of(*self_), list_behavior,
        list_deps{context_, directory_actor{self_}, question.realm,
                  question.list});
  ++place.uses;
  self_->send(place.actor, std::move(question));
}

void directory_state::passivate(const passivate_list& request) {
  auto at = lists_.find({request.realm, request.list});
  if (at == lists_.end() || at->second.uses != request.uses_seen)
    return;
  self_->send(at->second.actor, retire{});
  lists_.erase(at);
}

// ------------------------------------------------------- storage and time

void directory_state::on_persisted(std::uint64_t write) {
  replica_->persisted(write);
  settle();
}

void directory_state::on_state_committed(core::log_index applied) {
  replica_->committed_state(applied);
  settle();
}

void directory_state::on_raft_tick() {
  replica_->tick();
  settle();
  const bool alone = replica_->core_state().members().voters.size() <= 1;
  // Also while it retires: a write may wait for room.
  self_->delayed_send(self_, alone ? tick_alone : tick_replicated, raft_tick{});
}

void directory_state::begin_retirement() {
  retiring_ = true;
  for (auto& [key, place] : lists_)
    self_->send(place.actor, retire{});
  lists_.clear();
  settle();
}

// -------------------------------------------------------------------- debug

std::string directory_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "directory")
      .member("leads", replica_->leads())
      .member("ready", replica_->ready());
  describe_raft(out, replica_->core_state());
  const auto totals = context_->directory->totals();
  out.member("users", totals.users)
      .member("lists", totals.lists)
      .member("list_actors", std::uint64_t{lists_.size()})
      .member("pending", std::uint64_t{pending_.size()})
      .end_object();
  return std::move(out).text();
}

std::string directory_state::describe_list(const inspect_list& which) const {
  const auto record = context_->directory->find_list(which.realm, which.list);
  if (!record)
    return {};
  core::json_writer out;
  out.begin_object()
      .member("kind", "list")
      .member("realm", std::string_view{which.realm})
      .member("list", std::string_view{which.list})
      .member("members", record->members)
      .member("created_ms", core::to_millis(record->created))
      .member("active", lists_.count({which.realm, which.list}) > 0)
      .end_object();
  return std::move(out).text();
}

directory_actor::behavior_type directory_behavior(directory_state::pointer self,
                                                  directory_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      [&st](directory_proposals& m) { st.propose(m); },
      [&st](expand_list& m) { st.expand(m); },
      [&st](const passivate_list& m) { st.passivate(m); },
      [&st](const log_persisted& m) { st.on_persisted(m.write); },
      [&st](const state_committed& m) { st.on_state_committed(m.applied); },
      [&st](const raft_tick&) { st.on_raft_tick(); },
      [&st](const retire&) { st.begin_retirement(); },
      [&st](const inspect&) { return st.describe(); },
      [&st](const inspect_list& m) { return st.describe_list(m); },
  };
}

} // namespace troupe::actors
