// SPDX-License-Identifier: Apache-2.0
// How a client's session comes to be: its record, its routes, its inbox; and
// to the next inbox when that is led elsewhere.
#include "actors/attachment_table.hpp"
#include "actors/client_actor.hpp"
#include "actors/question.hpp"
#include "actors/runtime/pinned.hpp"
#include "core/session_machine.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {
namespace {

/// A replica or a leader that has not answered by then is asked again.
constexpr core::milliseconds attach_patience{5'000};

core::milliseconds pause_after(unsigned failures, std::uint64_t client) {
  constexpr core::milliseconds longest{1'000};
  constexpr core::milliseconds first{50};
  // The clients of a node that lost a leader don't all come at once.
  const core::milliseconds spread{client % 32};
  return std::min(longest, first * (1U << std::min(failures, 5U))) + spread;
}

} // namespace

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
  if (reopening_ && !outcome.present) // it has expired in between
    return fail({core::errc::not_found, "the session has ended"});
  if (epoch_ == 0)
    context_->stats.clients_lasting.fetch_add(1, std::memory_order_relaxed);
  epoch_ = outcome.number;
  if (closed_) { // the connection is gone already
    core::close_session_record close;
    close.session = ref();
    return ask_shard(std::move(close), false, [](core::shard_outcome&) {});
  }
  if (reopening_)
    return begin_attaching();
  generation_ = outcome.generation;
  found_.present = outcome.present;
  found_.awaiting = std::move(outcome.awaiting);
  found_.closed = outcome.closed.value_or(core::timestamp{});
  if (outcome.present || outcome.replaced)
    ask_for_routes(outcome.replaced);
  else
    begin_attaching();
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
        begin_attaching();
      }));
}

// --------------------------------------------------------------------- inbox

attachment client_state::attachment_of(actors::ticket attempt) const {
  constexpr unsigned attempt_bits = 16;
  return number_ << attempt_bits | (attempt & 0xFFFFU);
}

void client_state::begin_attaching() {
  if (closed_)
    return;
  attaching_ = attaching{};
  ask_for_inbox();
}

attach_request client_state::make_request() {
  attaching_->ticket = ++attempts_;
  attaching_->answer_due = context_->clock.now() + attach_patience;
  attach_request ask;
  ask.ticket = attempts_;
  ask.session = session_actor{self_};
  ask.attachment = attachment_of(attempts_);
  ask.who.number = number_;
  ask.inbox = inbox_name();
  ask.device = core::session_device;
  ask.window = wanted_.window;
  ask.epoch = epoch_;
  if (stage_ == stage::open)
    ask.returns = returning_session{std::min(safe_, in_hand_), in_hand_};
  return ask;
}

void client_state::ask_for_inbox() {
  attaching_->asked_leader = false;
  auto ask = make_request();
  self_->send(context_->shard(context_->group_of(ask.inbox)), std::move(ask));
}

bool client_state::ask_leader(core::node_id leader) {
  if (context_->attachments == nullptr || leader == core::node_id{} ||
      std::exchange(attaching_->asked_leader, true))
    return false;
  context_->attachments->attach(runtime::home_of(*self_), leader,
                                make_request());
  return true;
}

void client_state::on_attached(attached& reply) {
  if (!attaching_ || attaching_->ticket != reply.ticket) {
    // Too late: nobody waits for it any more.
    if (reply.inbox)
      self_->send(reply.inbox,
                  detach{core::session_device, attachment_of(reply.ticket)});
    return;
  }
  if (reply.failure.code == core::errc::ok)
    on_inbox(reply);
  else
    on_no_inbox(reply);
  flush();
}

void client_state::on_inbox(attached& reply) {
  inbox_ = std::move(reply.inbox);
  attachment_ = attachment_of(reply.ticket);
  attaching_.reset();
  reopening_ = false;
  if (stage_ == stage::open) {
    context_->stats.sessions_reattached.fetch_add(1, std::memory_order_relaxed);
    return acknowledge(); // what came while there was none
  }
  settled_ = safe_ = in_hand_ = reply.acknowledged;
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
    if (ask_leader(reply.leader))
      return;
    break;
  case core::errc::conflict:
    // There is a session of that name, which this one ends: for that it has a
    // record, and ends with its connection all the same.
    if (epoch_ != 0 || stage_ != stage::opening)
      break;
    attaching_.reset();
    wanted_.clean_start = true;
    wanted_.expiry = core::milliseconds{0};
    wanted_.will.reset();
    return open_record();
  case core::errc::not_logged_in:
    attaching_.reset();
    return fail({core::errc::conflict, "taken over"});
  case core::errc::not_found:
    // It was taken for gone while it was out of reach.
    if (stage_ != stage::open || reopening_)
      break;
    attaching_.reset();
    reopening_ = true;
    context_->stats.clients_reopened.fetch_add(1, std::memory_order_relaxed);
    return open_record();
  case core::errc::shutting_down:
    if (context_->options.clustered)
      break; // somebody else leads soon
    return fail(std::move(reply.failure));
  default:
    break;
  }
  last_failure_ = std::move(reply.failure);
  pause_attaching();
}

void client_state::pause_attaching() {
  context_->stats.attaches_repeated.fetch_add(1, std::memory_order_relaxed);
  attaching_->ticket = 0;
  const auto pause = pause_after(attaching_->failures++, number_);
  if (!std::exchange(attach_tick_pending_, true))
    self_->delayed_send(self_, pause, attach_tick{});
}

void client_state::on_attach_tick() {
  attach_tick_pending_ = false;
  if (!attaching_ || attaching_->ticket != 0)
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
  begin_attaching();
  flush();
}

} // namespace troupe::actors
