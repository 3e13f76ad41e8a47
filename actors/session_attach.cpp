// SPDX-License-Identifier: Apache-2.0
// How a session comes to its inbox, wherever that is led, and to the next one
// when it is led elsewhere.
#include "actors/runtime/pinned.hpp"
#include "actors/session_actor.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

attach_request session_state::make_request() const {
  attach_request ask;
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
  attaching_.ask(session_actor{self_}, make_request());
}

void session_state::on_attached(attached& reply) {
  if (!attaching_.takes(reply))
    return;
  if (reply.failure.code == core::errc::ok)
    on_inbox(reply);
  else
    on_no_inbox(reply);
  drain_backlog();
}

void session_state::on_inbox(attached& reply) {
  inbox_ = std::move(reply.inbox);
  devices_ = reply.devices;
  attaching_.end();
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
  if (code == core::errc::not_leader &&
      attaching_.ask_leader(session_actor{self_}, runtime::home_of(*self_),
                            reply.leader, make_request()))
    return;
  if (asks_again(code))
    return pause_attaching(std::move(reply.failure));
  attaching_.end();
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
  if (const auto pause = attaching_.pause(std::move(why)))
    self_->delayed_send(self_, *pause, attach_tick{});
}

void session_state::on_attach_tick() {
  if (!attaching_.on_tick())
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
  ask_for_inbox();
  flush();
}

} // namespace troupe::actors
