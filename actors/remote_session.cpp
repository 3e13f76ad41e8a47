// SPDX-License-Identifier: Apache-2.0
#include "actors/remote_session.hpp"

#include "actors/attachment_table.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>
#include <variant>

namespace troupe::actors {

std::string remote_session_state::path() const {
  return "nodes/" + std::to_string(names_.peer.value()) + "/sessions/" +
         std::to_string(names_.number);
}

void remote_session_state::start(remote_session_deps deps) {
  auto& request = deps.request;
  attachment_ = deps.table->next_local_attachment();
  open(*deps.context, deps.table->transport(),
       {deps.node, deps.number, request.inbox, request.device, request.session},
       attachment_way::to_session, request.reply_key);
  count(&broker_stats::remote_sessions);
  self_->attach_functor([stats = &context_->stats, table = deps.table,
                         node = deps.node, life = deps.life,
                         number = deps.number] {
    stats->remote_sessions.fetch_sub(1, std::memory_order_relaxed);
    table->forget_session(node, life, number);
  });
  self_->delayed_send(self_, context_->options.request_timeout,
                      deadline_tick{});
  attach_request ask;
  ask.ticket = 1;
  ask.session = session_actor{self_};
  ask.attachment = attachment_;
  ask.who = {deps.node, deps.life, names_.session};
  ask.inbox = names_.inbox;
  ask.device = names_.device;
  ask.inherit = request.inherit;
  ask.window = request.window;
  ask.resume_from = request.resume_from;
  ask.returns = request.returns;
  ask.epoch = request.epoch;
  self_->send(deps.shard, std::move(ask));
}

// ------------------------------------------------------------- to the session

void remote_session_state::on_attached(attached& reply) {
  if (!is_asking()) {
    // Nobody waits for it any more.
    if (reply.inbox)
      self_->send(reply.inbox, detach{names_.device, attachment_});
    return;
  }
  attachment_words::attached answer;
  answer.failure = std::move(reply.failure);
  answer.leader = reply.leader;
  answer.resume = reply.resume;
  answer.acknowledged = reply.acknowledged;
  answer.devices = reply.devices;
  if (answer.failure.code != core::errc::ok)
    return send_and_end(answer);
  count(&broker_stats::attachments_made);
  inbox_ = std::move(reply.inbox);
  set_attached();
  send(answer);
}

void remote_session_state::on_deliveries(deliveries& batch) {
  if (is_attached())
    send(attachment_words::deliveries{std::move(batch.items)});
}

void remote_session_state::on_devices_changed(const devices_changed& news) {
  if (is_attached())
    send(attachment_words::devices{news.devices});
}

void remote_session_state::on_fence_passed(const fence_passed& fence) {
  if (is_attached())
    send(attachment_words::fence_passed{fence.ticket});
}

void remote_session_state::on_released() {
  if (is_attached())
    send_and_end(attachment_words::released{});
}

void remote_session_state::on_stop(const session_stop& order) {
  if (is_attached())
    send_and_end(attachment_words::stop{order.reason});
}

// --------------------------------------------------------------- to the inbox

void remote_session_state::on_words(attachment_words::any& what) {
  std::visit([this](const auto& each) { on(each); }, what);
}

template <class Other>
void remote_session_state::on(const Other&) {
  count(&broker_stats::attachment_frames_unusable);
}

void remote_session_state::on(const attachment_words::detach&) {
  leave_inbox(false);
  end();
}

/// Its node does not know this attachment any more.
void remote_session_state::on(const attachment_words::released&) {
  let_go();
  end();
}

void remote_session_state::on(const attachment_words::acknowledge& ack) {
  if (is_attached())
    self_->send(inbox_,
                delivery_acknowledged{names_.device, attachment_, ack.up_to});
}

void remote_session_state::on(const attachment_words::fence& fence) {
  if (is_attached())
    self_->send(inbox_, inbox_fence{fence.ticket, session_actor{self_}});
}

// ------------------------------------------------------------------------ end

void remote_session_state::leave_inbox(bool lost) {
  if (inbox_)
    self_->send(std::exchange(inbox_, {}),
                detach{names_.device, attachment_, lost});
}

void remote_session_state::on_deadline_tick() {
  if (!is_asking())
    return;
  attachment_words::attached answer;
  answer.failure.code = core::errc::timed_out;
  send_and_end(answer);
}

remote_session_actor::behavior_type
remote_session_behavior(remote_session_state::pointer self,
                        remote_session_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      // It has no connection and asks nobody but the shard.
      [](session_commands&) {},
      [](shard_answers&) {},
      [](directory_answers&) {},
      [](list_expansion&) {},
      [&st](attached& m) { st.on_attached(m); },
      [&st](deliveries& m) { st.on_deliveries(m); },
      [&st](const devices_changed& m) { st.on_devices_changed(m); },
      [&st](const fence_passed& m) { st.on_fence_passed(m); },
      [&st](const inbox_released&) { st.on_released(); },
      [&st](const session_stop& m) { st.on_stop(m); },
      [&st](const deadline_tick&) { st.on_deadline_tick(); },
      [&st](const retry_tick&) { st.on_retry_tick(); },
      [](const attach_tick&) {},
      [&st](const inspect&) { return st.describe(st.name); },
      [&st](const attachment_frame& m) { st.on_frame(m); },
      [&st](const attachment_lost&) { st.on_lost(); },
  };
}

} // namespace troupe::actors
