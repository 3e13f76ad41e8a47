// SPDX-License-Identifier: Apache-2.0
// How a session comes to its inbox, wherever that is led, and to the next one
// when it is led elsewhere.
#include "actors/attachment_table.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/session_actor.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {
namespace {

/// A replica or a leader that has not answered by then is asked again.
constexpr core::milliseconds attach_patience{5'000};

/// How long nobody is asked after so many failures.
core::milliseconds pause_after(unsigned failures, std::uint64_t session) {
  constexpr core::milliseconds longest{1'000};
  constexpr core::milliseconds first{100};
  // The sessions of a node that lost a leader don't all come at once.
  const core::milliseconds spread{session % 32};
  return std::min(longest, first * (1U << std::min(failures, 4U))) + spread;
}

} // namespace

attachment session_state::attachment_of(actors::ticket attempt) const {
  constexpr unsigned attempt_bits = 16;
  return number_ << attempt_bits | (attempt & 0xFFFFU);
}

void session_state::begin_attaching() {
  attaching_ = attaching{};
  ask_for_inbox();
}

attach_request session_state::make_request() {
  attaching_->ticket = ++attempts_;
  attaching_->answer_due = context_->clock.now() + attach_patience;
  attach_request ask;
  ask.ticket = attempts_;
  ask.session = session_actor{self_};
  ask.attachment = attachment_of(attempts_);
  ask.who.number = number_;
  ask.inbox = {realm_, core::owner_kind::user,
               login_ ? login_->command.uid : uid_};
  ask.device = login_ ? login_->device : device_;
  ask.window = login_ ? login_->command.window : window_;
  if (login_) {
    ask.inherit = login_->inherits;
    ask.resume_from = login_->command.resume_from;
  } else {
    ask.returns =
        returning_session{std::min(acknowledged_all_, in_hand_), in_hand_};
  }
  return ask;
}

void session_state::ask_for_inbox() {
  attaching_->asked_leader = false;
  auto ask = make_request();
  self_->send(context_->shard(context_->group_of(ask.inbox)), std::move(ask));
}

bool session_state::ask_leader(core::node_id leader) {
  if (context_->attachments == nullptr || leader == core::node_id{} ||
      std::exchange(attaching_->asked_leader, true))
    return false;
  context_->attachments->attach(runtime::home_of(*self_), leader,
                                make_request());
  return true;
}

void session_state::on_attached(attached& reply) {
  if (!attaching_ || attaching_->ticket != reply.ticket) {
    // Too late: nobody waits for it any more.
    if (reply.inbox)
      self_->send(reply.inbox,
                  detach{reply.device, attachment_of(reply.ticket)});
    return;
  }
  if (reply.failure.code == core::errc::ok)
    on_inbox(reply);
  else
    on_no_inbox(reply);
  drain_backlog();
}

void session_state::on_inbox(attached& reply) {
  inbox_ = std::move(reply.inbox);
  attachment_ = attachment_of(reply.ticket);
  devices_ = reply.devices;
  attaching_.reset();
  if (!login_) {
    context_->stats.sessions_reattached.fetch_add(1, std::memory_order_relaxed);
    if (!fenced_.empty())
      self_->send(inbox_, inbox_fence{fences_, session_actor{self_}});
    return;
  }
  core::logged_in event;
  event.request = login_->command.request;
  event.resume = reply.resume;
  event.acknowledged = reply.acknowledged;
  event.window = login_->command.window;
  finish_login();
  emit(std::move(event));
}

void session_state::on_no_inbox(attached& reply) {
  const auto code = reply.failure.code;
  if (code == core::errc::not_leader && ask_leader(reply.leader))
    return;
  if (asks_again(code))
    return pause_attaching(std::move(reply.failure));
  attaching_.reset();
  if (!login_)
    return end_session(std::move(reply.failure));
  const auto login = std::move(*std::exchange(login_, {}));
  refuse_login(login.command.request, std::move(reply.failure));
}

/// A client that logs in is told what a node alone would tell it; one that was
/// in need not hear of what may pass.
bool session_state::asks_again(core::errc why) const {
  if (!context_->options.clustered)
    return false;
  switch (why) {
  case core::errc::not_leader:
  case core::errc::unavailable:
    return true;
  case core::errc::timed_out:
  case core::errc::overloaded:
  case core::errc::storage_full:
    return !login_;
  default:
    return false;
  }
}

void session_state::pause_attaching(core::error why) {
  context_->stats.attaches_repeated.fetch_add(1, std::memory_order_relaxed);
  attaching_->ticket = 0;
  attaching_->last_failure = std::move(why);
  const auto pause = pause_after(attaching_->failures++, number_);
  if (!std::exchange(attach_tick_pending_, true))
    self_->delayed_send(self_, pause, attach_tick{});
}

void session_state::on_attach_tick() {
  attach_tick_pending_ = false;
  if (!attaching_ || attaching_->ticket != 0)
    return;
  ask_for_inbox();
  flush();
}

/// The inbox is led elsewhere from now on, or the way to it is lost.
void session_state::on_released() {
  if (!inbox_ || !from_inbox())
    return;
  context_->stats.sessions_released.fetch_add(1, std::memory_order_relaxed);
  inbox_ = inbox_actor{};
  begin_attaching();
  flush();
}

} // namespace troupe::actors
