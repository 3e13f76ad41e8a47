// SPDX-License-Identifier: Apache-2.0
#include "actors/remote_inbox.hpp"

#include "actors/attachment_table.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace troupe::actors {

std::string remote_inbox_state::path() const {
  return "nodes/" + std::to_string(names_.peer.value()) + "/inboxes/" +
         std::to_string(names_.number);
}

void remote_inbox_state::start(remote_inbox_deps deps) {
  const auto key = current_loop_index();
  auto& request = deps.request;
  session_ = request.session;
  ticket_ = request.ticket;
  const auto group = deps.context->group_of(request.inbox);
  open(*deps.context, deps.table->transport(),
       {deps.leader, deps.number, request.inbox, request.device,
        request.who.number},
       attachment_way::to_inbox, group.value());
  count(&broker_stats::remote_inboxes);
  self_->attach_functor(
      [stats = &context_->stats, table = deps.table, number = deps.number] {
        stats->remote_inboxes.fetch_sub(1, std::memory_order_relaxed);
        table->forget_inbox(number);
      });
  // A session that ended without a word frees its device.
  self_->set_down_handler([this](const caf::down_msg&) { detach_session(); });
  self_->monitor(session_);
  self_->delayed_send(self_, context_->options.request_timeout,
                      deadline_tick{});
  attachment_words::attach ask;
  ask.reply_key = key;
  ask.session = names_.session;
  ask.inbox = names_.inbox;
  ask.device = names_.device;
  ask.inherit = request.inherit;
  ask.window = request.window;
  ask.resume_from = request.resume_from;
  ask.returns = request.returns;
  ask.epoch = request.epoch;
  send(ask);
}

// --------------------------------------------------------------- to the inbox

void remote_inbox_state::on_room() {
  if (acknowledged_)
    send(attachment_words::acknowledge{*std::exchange(acknowledged_, {})});
}

void remote_inbox_state::acknowledge(const delivery_acknowledged& ack) {
  if (!is_attached())
    return;
  if (line_waits())
    acknowledged_ = std::max(acknowledged_.value_or(ack.up_to), ack.up_to);
  else
    send(attachment_words::acknowledge{ack.up_to});
}

void remote_inbox_state::pass(const inbox_fence& fence) {
  if (is_attached())
    send(attachment_words::fence{fence.ticket});
}

void remote_inbox_state::detach_session() {
  if (is_ending())
    return;
  if (acknowledged_)
    send(attachment_words::acknowledge{*std::exchange(acknowledged_, {})});
  send_and_end(attachment_words::detach{});
}

// ------------------------------------------------------------- to the session

void remote_inbox_state::on_words(attachment_words::any& what) {
  std::visit([this](auto& each) { on(each); }, what);
}

template <class Other>
void remote_inbox_state::on(const Other&) {
  count(&broker_stats::attachment_frames_unusable);
}

void remote_inbox_state::on(const attachment_words::attached& answer) {
  if (!is_asking())
    return;
  if (answer.failure.code != core::errc::ok) {
    answer_failure(answer.failure, answer.leader);
    return end();
  }
  set_attached();
  attached reply;
  reply.ticket = ticket_;
  reply.inbox = inbox_actor{self_};
  reply.device = names_.device;
  reply.resume = answer.resume;
  reply.acknowledged = answer.acknowledged;
  reply.devices = answer.devices;
  self_->send(session_, std::move(reply));
}

void remote_inbox_state::on(attachment_words::deliveries& batch) {
  if (is_attached() && !batch.items.empty())
    self_->send(session_, deliveries{std::move(batch.items)});
}

void remote_inbox_state::on(const attachment_words::devices& news) {
  if (is_attached())
    self_->send(session_, devices_changed{news.count});
}

void remote_inbox_state::on(const attachment_words::fence_passed& news) {
  if (is_attached())
    self_->send(session_, fence_passed{news.ticket});
}

void remote_inbox_state::on(const attachment_words::stop& news) {
  if (is_attached())
    self_->send(session_, session_stop{news.reason});
  end();
}

void remote_inbox_state::on(const attachment_words::released&) {
  let_go();
  end();
}

void remote_inbox_state::answer_failure(core::error why, core::node_id leader) {
  attached reply;
  reply.ticket = ticket_;
  reply.failure = std::move(why);
  // That node stops, not this one: somebody else leads soon.
  if (reply.failure.code == core::errc::shutting_down)
    reply.failure = {core::errc::not_leader, {}};
  reply.leader = leader;
  self_->send(session_, std::move(reply));
}

// ------------------------------------------------------------------------ end

void remote_inbox_state::let_go() {
  if (is_asking())
    answer_failure({core::errc::not_leader, {}});
  else if (is_attached())
    self_->send(session_, inbox_released{});
}

void remote_inbox_state::on_deadline_tick() {
  if (!is_asking())
    return;
  answer_failure({core::errc::timed_out, {}});
  send_and_end(attachment_words::detach{}); // it may have been heard
}

remote_inbox_actor::behavior_type
remote_inbox_behavior(remote_inbox_state::pointer self,
                      remote_inbox_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      // Only the table makes one, with the request it is for.
      [](attach_request&) {},
      [&st](const detach&) { st.detach_session(); },
      [&st](const delivery_acknowledged& m) { st.acknowledge(m); },
      [&st](const inbox_fence& m) { st.pass(m); },
      // What a shard tells an inbox of its own.
      [](inbox_changes&) {},
      [](fetched_entries&) {},
      [](const idle_tick&) {},
      [](const seen_tick&) {},
      [](const grace_tick&) {},
      [&st](const retire&) { st.detach_session(); },
      [&st](const inspect_live&) {
        return live_inbox{st.describe(st.name), {}};
      },
      [&st](const inspect&) { return st.describe(st.name); },
      [&st](const attachment_frame& m) { st.on_frame(m); },
      [&st](const attachment_lost&) { st.on_lost(); },
      [&st](const deadline_tick&) { st.on_deadline_tick(); },
      [&st](const retry_tick&) { st.on_retry_tick(); },
  };
}

} // namespace troupe::actors
