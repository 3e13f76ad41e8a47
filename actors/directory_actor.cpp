// SPDX-License-Identifier: Apache-2.0
#include "actors/directory_actor.hpp"

#include "actors/inspection.hpp"
#include "actors/list_actor.hpp"
#include "actors/runtime/pinned.hpp"
#include "schema/command_wire.hpp"
#include "storage/fatal.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>
#include <variant>

namespace troupe::actors {

directory_state::directory_state(pointer ptr) : self_(ptr) {}

void directory_state::start(directory_deps deps) {
  context_ = deps.context;
  store_ = deps.store;
  routes_ = deps.routes;
  make_machine(deps.group.replica.space->applied());
  group_timers timers;
  timers.tick = [this](core::milliseconds after, std::uint32_t number) {
    self_->delayed_send(self_, after, raft_tick{number});
  };
  timers.flush = [this] {
    if (!std::exchange(flush_pending_, true))
      self_->delayed_send(self_, context_->options.cursor_interval,
                          flush_tick{});
  };
  group_ =
      std::make_unique<replicated_group<directory_client, directory_answers>>(
          "directory", *context_, std::move(deps.group), std::move(timers),
          [this](core::log_index index, const core::shared_bytes& raw) {
            return apply(index, raw);
          },
          [this] {
            make_machine(group_->consensus().applied());
            tell_all_lists();
            tell_rights();
          });
  steward_.emplace(*context_, std::move(deps.identity),
                   [this](core::cluster_command change) {
                     return group_->propose_own(
                         schema::encode(core::logged_directory_command{
                             {}, {}, core::change_cluster{std::move(change)}}),
                         false);
                   });
  group_->start();
  settle();
}

/// Anew from what the tables hold as of an index.
void directory_state::make_machine(core::log_index applied) {
  machine_ = std::make_unique<core::directory_machine>(*store_, routes_);
  if (routes_ != nullptr)
    routes_->set_as_of(applied);
}

/// What this node knows is as new as what its leader says, or it leads.
void directory_state::note_leader() {
  context_->directory_heard.store(
      context_->clock.now().time_since_epoch().count(),
      std::memory_order_relaxed);
}

void directory_state::propose(directory_proposals& batch) {
  group_->propose(batch.items, batch.from);
  settle();
}

core::directory_outcome directory_state::apply(core::log_index index,
                                               const core::shared_bytes& raw) {
  const auto command = schema::decode_directory_command(raw);
  if (!command)
    storage::stop_the_node("directory, log index " +
                           std::to_string(index.value()) + ": " +
                           core::to_string(command.error()));
  auto outcome = machine_->apply(index, *command);
  if (outcome.failure.code == core::errc::ok)
    tell_changes(command->command);
  return outcome;
}

void directory_state::tell_rights() {
  context_->rights.changed(context_->directory->rights().totals_of_rights());
}

void directory_state::tell_changes(const core::directory_command& command) {
  if (std::holds_alternative<core::change_rights>(command) ||
      std::holds_alternative<core::remove_user>(command))
    tell_rights();
  if (const auto* edit = std::get_if<core::change_list>(&command)) {
    auto at = lists_.find({edit->realm, edit->list});
    if (at != lists_.end())
      self_->send(at->second.actor, list_changed{});
    return;
  }
  // A user may leave many lists at once, an import touch any.
  if (std::holds_alternative<core::remove_user>(command) ||
      std::holds_alternative<core::import_directory>(command))
    tell_all_lists();
}

void directory_state::tell_all_lists() {
  for (const auto& [key, place] : lists_)
    self_->send(place.actor, list_changed{});
}

void directory_state::settle() {
  group_->settle();
  group_->send_answers(self_);
  if (group_->retiring() && group_->quiet() && group_->handed_over() &&
      group_->quiet()) {
    group_->report_retired();
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

// ---------------------------------------------- replication, storage, time

void directory_state::on_frame(group_frame& frame) {
  const bool is_leaders = frame.from == group_->leader() &&
                          (frame.kind == group_frame_kind::raft ||
                           frame.kind == group_frame_kind::entries);
  group_->on_frame(frame);
  if (is_leaders && frame.from == group_->leader())
    note_leader();
  settle();
}

void directory_state::on_task(const group_task& task) {
  group_->on_task(task);
  settle();
}

void directory_state::on_persisted(std::uint64_t write) {
  group_->on_persisted(write);
  settle();
}

void directory_state::on_state_committed(core::log_index applied) {
  group_->on_state_committed(applied);
  settle();
}

void directory_state::on_raft_tick(std::uint32_t number) {
  group_->on_tick(number);
  // A leader that reaches no majority does not lead for long.
  if (group_->ready())
    note_leader();
  if (group_->ready() && !group_->retiring())
    steward_->on_tick(group_->consensus());
  settle();
}

void directory_state::on_flush_tick() {
  flush_pending_ = false;
  group_->place_waiting();
  settle();
}

void directory_state::begin_retirement() {
  group_->begin_retirement();
  for (auto& [key, place] : lists_)
    self_->send(place.actor, retire{});
  lists_.clear();
  settle();
}

// -------------------------------------------------------------------- debug

std::string directory_state::describe() const {
  core::json_writer out;
  out.begin_object().member("kind", "directory");
  group_->describe(out);
  const auto totals = context_->directory->totals();
  out.member("users", totals.users)
      .member("lists", totals.lists)
      .member("list_actors", std::uint64_t{lists_.size()})
      .member("pending", std::uint64_t{group_->pending()});
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

caf::typed_response_promise<std::string>
directory_state::inspect_one(const inspect_list& which) {
  auto promise = self_->make_response_promise<std::string>();
  const auto live = lists_.find({which.realm, which.list});
  if (live == lists_.end()) {
    promise.deliver(describe_list(which, {}));
    return promise;
  }
  self_->request(live->second.actor, inspection_timeout, inspect{})
      .then(
          [this, promise, which](const std::string& state) mutable {
            promise.deliver(describe_list(which, state));
          },
          [this, promise, which](const caf::error&) mutable {
            promise.deliver(describe_list(which, {}));
          });
  return promise;
}

/// `live` is what the list's actor says of itself, "" if there is none.
std::string directory_state::describe_list(const inspect_list& which,
                                           std::string_view live) const {
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
      .member("active", lists_.count({which.realm, which.list}) > 0);
  if (!live.empty())
    out.key("live").raw(live);
  out.end_object();
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
      [&st](group_frame& m) { st.on_frame(m); },
      [&st](const group_task& m) { st.on_task(m); },
      [&st](const log_persisted& m) { st.on_persisted(m.write); },
      [&st](const state_committed& m) { st.on_state_committed(m.applied); },
      [&st](const raft_tick& m) { st.on_raft_tick(m.number); },
      [&st](const flush_tick&) { st.on_flush_tick(); },
      [&st](const retire&) { st.begin_retirement(); },
      [&st](const inspect&) { return st.describe(); },
      [&st](const inspect_list& m) { return st.inspect_one(m); },
  };
}

} // namespace troupe::actors
