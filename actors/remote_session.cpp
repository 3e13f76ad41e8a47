// SPDX-License-Identifier: Apache-2.0
#include "actors/remote_session.hpp"

#include "actors/attachment_table.hpp"
#include "core/json_text.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>
#include <variant>

namespace troupe::actors {
namespace {

void count(broker_stats::counter& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

} // namespace

std::string remote_session_state::path() const {
  return "nodes/" + std::to_string(node_.value()) + "/sessions/" +
         std::to_string(number_);
}

void remote_session_state::start(remote_session_deps deps) {
  context_ = deps.context;
  node_ = deps.node;
  life_ = deps.life;
  number_ = deps.number;
  auto& request = deps.request;
  owner_ = request.inbox;
  device_ = request.device;
  session_number_ = request.session;
  attachment_ = deps.table->next_local_attachment();
  line_.emplace(deps.table->transport(), context_->stats, node_,
                attachment_way::to_session, request.reply_key, number_);
  count(context_->stats.remote_sessions);
  self_->attach_functor([stats = &context_->stats, table = deps.table,
                         node = node_, life = life_, number = number_] {
    stats->remote_sessions.fetch_sub(1, std::memory_order_relaxed);
    table->forget_session(node, life, number);
  });
  self_->delayed_send(self_, context_->options.request_timeout,
                      deadline_tick{});
  attach_request ask;
  ask.ticket = 1;
  ask.session = session_actor{self_};
  ask.attachment = attachment_;
  ask.who = {node_, life_, session_number_};
  ask.inbox = owner_;
  ask.device = device_;
  ask.inherit = request.inherit;
  ask.window = request.window;
  ask.resume_from = request.resume_from;
  ask.returns = request.returns;
  self_->send(deps.shard, std::move(ask));
}

// ------------------------------------------------------------- to the session

void remote_session_state::send(const attachment_words::any& what) {
  if (phase_ != phase::over)
    after_sending(line_->send(what));
}

void remote_session_state::send_and_end(const attachment_words::any& what) {
  phase_ = phase::leaving;
  send(what);
}

void remote_session_state::after_sending(bool alive) {
  if (!alive)
    return on_lost();
  if (line_->waits()) {
    if (!std::exchange(retry_pending_, true))
      self_->delayed_send(self_, attachment_line::retry_interval, retry_tick{});
  } else if (phase_ == phase::leaving) {
    end();
  }
}

void remote_session_state::on_retry_tick() {
  retry_pending_ = false;
  if (phase_ != phase::over)
    after_sending(line_->retry());
}

void remote_session_state::on_attached(attached& reply) {
  if (phase_ != phase::asking) {
    // Nobody waits for it any more.
    if (reply.inbox)
      self_->send(reply.inbox, detach{device_, attachment_});
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
  count(context_->stats.attachments_made);
  inbox_ = std::move(reply.inbox);
  phase_ = phase::attached;
  send(answer);
}

void remote_session_state::on_deliveries(deliveries& batch) {
  if (phase_ == phase::attached)
    send(attachment_words::deliveries{std::move(batch.items)});
}

void remote_session_state::on_devices_changed(const devices_changed& news) {
  if (phase_ == phase::attached)
    send(attachment_words::devices{news.devices});
}

void remote_session_state::on_fence_passed(const fence_passed& fence) {
  if (phase_ == phase::attached)
    send(attachment_words::fence_passed{fence.ticket});
}

void remote_session_state::on_released() {
  if (phase_ == phase::attached)
    send_and_end(attachment_words::released{});
}

void remote_session_state::on_stop(const session_stop& order) {
  if (phase_ == phase::attached)
    send_and_end(attachment_words::stop{order.reason});
}

// --------------------------------------------------------------- to the inbox

void remote_session_state::on_frame(const attachment_frame& frame) {
  if (phase_ == phase::leaving || phase_ == phase::over)
    return;
  const auto message = decode_attachment(frame.bytes);
  if (!message) {
    count(context_->stats.attachment_frames_unusable);
    leave_inbox(true);
    return send_and_end(attachment_words::released{});
  }
  std::visit([this](const auto& what) { on(what); }, message->what);
}

template <class Other>
void remote_session_state::on(const Other&) {
  count(context_->stats.attachment_frames_unusable);
}

void remote_session_state::on(const attachment_words::detach&) {
  leave_inbox(false);
  end();
}

/// Its node does not know this attachment any more.
void remote_session_state::on(const attachment_words::released&) {
  leave_inbox(true);
  end();
}

void remote_session_state::on(const attachment_words::acknowledge& ack) {
  if (phase_ == phase::attached)
    self_->send(inbox_, delivery_acknowledged{device_, attachment_, ack.up_to});
}

void remote_session_state::on(const attachment_words::fence& fence) {
  if (phase_ == phase::attached)
    self_->send(inbox_, inbox_fence{fence.ticket, session_actor{self_}});
}

// ------------------------------------------------------------------------ end

void remote_session_state::leave_inbox(bool lost) {
  if (inbox_)
    self_->send(std::exchange(inbox_, {}), detach{device_, attachment_, lost});
}

void remote_session_state::on_lost() {
  if (phase_ == phase::over)
    return;
  count(context_->stats.attachments_lost);
  leave_inbox(true);
  end();
}

void remote_session_state::on_deadline_tick() {
  if (phase_ != phase::asking)
    return;
  attachment_words::attached answer;
  answer.failure.code = core::errc::timed_out;
  send_and_end(answer);
}

void remote_session_state::end() {
  phase_ = phase::over;
  self_->quit();
}

std::string remote_session_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "remote_session")
      .member("node", std::uint64_t{node_.value()})
      .member("attachment", number_)
      .member("realm", std::string_view{owner_.realm})
      .member("user", std::string_view{owner_.name})
      .member("device", std::uint64_t{device_.value()})
      .member("session", session_number_)
      .member("attached", phase_ == phase::attached)
      .member("frames_waiting", std::uint64_t{line_ ? line_->waiting() : 0})
      .end_object();
  return std::move(out).text();
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
      [&st](const inspect&) { return st.describe(); },
      [&st](const attachment_frame& m) { st.on_frame(m); },
      [&st](const attachment_lost&) { st.on_lost(); },
  };
}

} // namespace troupe::actors
