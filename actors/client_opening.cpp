// SPDX-License-Identifier: Apache-2.0
// How a client's session comes to be: its record, its routes, its inbox; and
// to the next inbox when that is led elsewhere.
#include "actors/client_actor.hpp"
#include "actors/question.hpp"
#include "actors/runtime/pinned.hpp"
#include "core/session_machine.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

// -------------------------------------------------------------------- record

void client_state::open_record() {
  core::open_session open;
  open.realm = wanted_.realm;
  open.name = wanted_.name;
  open.uid = wanted_.uid;
  open.protocol = wanted_.protocol;
  open.clean_start = wanted_.clean_start && !reopening_;
  open.expiry = wanted_.expiry;
  open.receive_max = wanted_.receive_max;
  open.will = wanted_.will;
  ask_shard(std::move(open), true,
            [this](core::shard_outcome& outcome) { on_record(outcome); });
}

void client_state::on_record(core::shard_outcome& outcome) {
  if (stage_ == stage::ended)
    return;
  if (outcome.failure.code != core::errc::ok)
    return fail(std::move(outcome.failure));
  if (reopening_ && !outcome.present)
    return undo_record(outcome.number);
  if (epoch_ == 0)
    context_->stats.clients_lasting.fetch_add(1, std::memory_order_relaxed);
  epoch_ = outcome.number;
  if (closed_) { // the connection is gone already
    core::close_session_record close;
    close.session = ref();
    return ask_shard(std::move(close), false, [](core::shard_outcome&) {});
  }
  if (reopening_)
    return ask_for_inbox();
  generation_ = outcome.generation;
  found_.present = outcome.present;
  found_.awaiting = std::move(outcome.awaiting);
  found_.closed = outcome.closed.value_or(core::timestamp{});
  if (outcome.present || outcome.replaced)
    ask_for_routes(outcome.replaced);
  else
    ask_for_inbox();
}

/// The session has ended just before its record was to be opened again: what
/// that made must not be taken for one.
void client_state::undo_record(std::uint64_t epoch) {
  epoch_ = epoch;
  ask_shard(core::set_session_expiry{ref(), core::milliseconds{0}}, false,
            [](core::shard_outcome&) {});
  core::close_session_record close;
  close.session = ref();
  close.drop_will = true;
  ask_shard(std::move(close), false, [](core::shard_outcome&) {});
  fail({core::errc::not_found, "the session has ended"});
}

/// A command also if nothing is to be changed: once it is applied here, this
/// node's directory has all that the session was told is done.
void client_state::ask_for_routes(bool remove_all) {
  core::change_routes change;
  change.realm = wanted_.realm;
  change.session = wanted_.name;
  change.generation = generation_;
  change.remove_all = remove_all;
  operations_->start(std::make_unique<directory_question>(
      std::move(change), false, [this](core::directory_outcome& outcome) {
        if (stage_ != stage::opening)
          return;
        if (outcome.failure.code != core::errc::ok)
          return fail(std::move(outcome.failure));
        found_.routed_at = outcome.index;
        ask_for_inbox();
      }));
}

// --------------------------------------------------------------------- inbox

attach_request client_state::make_request() const {
  attach_request ask;
  ask.inbox = inbox_name();
  ask.device = core::session_device;
  ask.window = wanted_.window;
  ask.epoch = epoch_;
  if (stage_ == stage::open)
    ask.returns = returning_session{std::min(durable_, in_hand_), in_hand_};
  return ask;
}

void client_state::ask_for_inbox() {
  if (!closed_)
    attaching_.ask(session_actor{self_}, make_request());
}

void client_state::on_attached(attached& reply) {
  if (!attaching_.takes(reply))
    return;
  if (reply.failure.code == core::errc::ok)
    on_inbox(reply);
  else
    on_no_inbox(reply);
  flush();
}

void client_state::on_inbox(attached& reply) {
  inbox_ = std::move(reply.inbox);
  attaching_.end();
  reopening_ = false;
  if (stage_ == stage::open) {
    context_->stats.sessions_reattached.fetch_add(1, std::memory_order_relaxed);
    settled_news_ = true; // what was said while there was none
    return;
  }
  settled_ = durable_ = in_hand_ = reply.acknowledged;
  finish_opening();
}

void client_state::finish_opening() {
  stage_ = stage::open;
  if (found_.present)
    context_->directory->each_route(wanted_.realm, wanted_.name,
                                    [this](const core::route& one) {
                                      found_.routes.push_back(one);
                                      return true;
                                    });
  emit(std::exchange(found_, {}));
}

void client_state::on_no_inbox(attached& reply) {
  switch (reply.failure.code) {
  case core::errc::not_leader:
    if (attaching_.ask_leader(session_actor{self_}, runtime::home_of(*self_),
                              reply.leader, make_request()))
      return;
    break;
  case core::errc::not_logged_in:
    attaching_.end();
    return fail({core::errc::conflict, "taken over"});
  case core::errc::not_found:
    // It was taken for gone while it was out of reach.
    if (stage_ != stage::open || reopening_)
      break;
    attaching_.end();
    reopening_ = true;
    context_->stats.clients_reopened.fetch_add(1, std::memory_order_relaxed);
    return open_record();
  case core::errc::user_unknown: // nobody is left whose place it could be
    attaching_.end();
    return fail({core::errc::not_found, "the session has ended"});
  case core::errc::shutting_down:
    if (context_->options.clustered)
      break; // somebody else leads soon
    return fail(std::move(reply.failure));
  default:
    break;
  }
  pause_attaching(std::move(reply.failure));
}

void client_state::pause_attaching(core::error why) {
  if (const auto pause = attaching_.pause(std::move(why)))
    self_->delayed_send(self_, *pause, attach_tick{});
}

void client_state::on_attach_tick() {
  if (!attaching_.on_tick())
    return;
  ask_for_inbox();
  flush();
}

/// What an inbox says from which this session is detached already is void.
bool client_state::from_inbox() const {
  return inbox_ && inbox_ == self_->current_sender();
}

/// The inbox is led elsewhere from now on, or the way to it is lost.
void client_state::on_released() {
  if (!from_inbox())
    return;
  context_->stats.sessions_released.fetch_add(1, std::memory_order_relaxed);
  inbox_ = inbox_actor{};
  ask_for_inbox();
  flush();
}

} // namespace troupe::actors
