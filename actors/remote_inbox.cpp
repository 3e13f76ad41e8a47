// SPDX-License-Identifier: Apache-2.0
#include "actors/remote_inbox.hpp"

#include "actors/attachment_table.hpp"
#include "core/json_text.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace troupe::actors {
namespace {

void count(broker_stats::counter& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

} // namespace

std::string remote_inbox_state::path() const {
  return "nodes/" + std::to_string(leader_.value()) + "/inboxes/" +
         std::to_string(number_);
}

void remote_inbox_state::start(remote_inbox_deps deps) {
  context_ = deps.context;
  leader_ = deps.leader;
  number_ = deps.number;
  const auto key = current_loop_index();
  auto& request = deps.request;
  session_ = request.session;
  ticket_ = request.ticket;
  inbox_ = request.inbox;
  device_ = request.device;
  session_number_ = request.who.number;
  line_.emplace(deps.table->transport(), context_->stats, leader_,
                attachment_way::to_inbox, context_->group_of(inbox_).value(),
                number_);
  count(context_->stats.remote_inboxes);
  self_->attach_functor(
      [stats = &context_->stats, table = deps.table, number = number_] {
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
  ask.session = session_number_;
  ask.inbox = inbox_;
  ask.device = device_;
  ask.inherit = request.inherit;
  ask.window = request.window;
  ask.resume_from = request.resume_from;
  ask.returns = request.returns;
  send(ask);
}

// --------------------------------------------------------------- to the inbox

void remote_inbox_state::send(const attachment_words::any& what) {
  if (phase_ != phase::over)
    after_sending(line_->send(what));
}

void remote_inbox_state::after_sending(bool alive) {
  if (!alive)
    return on_lost();
  if (line_->waits()) {
    if (!std::exchange(retry_pending_, true))
      self_->delayed_send(self_, attachment_line::retry_interval, retry_tick{});
    return;
  }
  if (acknowledged_) {
    const attachment_words::acknowledge ack{*std::exchange(acknowledged_, {})};
    return send(ack);
  }
  if (phase_ == phase::leaving)
    end();
}

void remote_inbox_state::on_retry_tick() {
  retry_pending_ = false;
  if (phase_ != phase::over)
    after_sending(line_->retry());
}

void remote_inbox_state::acknowledge(const delivery_acknowledged& ack) {
  if (phase_ != phase::attached)
    return;
  if (line_->waits())
    acknowledged_ = std::max(acknowledged_.value_or(ack.up_to), ack.up_to);
  else
    send(attachment_words::acknowledge{ack.up_to});
}

void remote_inbox_state::pass(const inbox_fence& fence) {
  if (phase_ == phase::attached)
    send(attachment_words::fence{fence.ticket});
}

void remote_inbox_state::detach_session() {
  if (phase_ == phase::leaving || phase_ == phase::over)
    return;
  if (acknowledged_)
    send(attachment_words::acknowledge{*std::exchange(acknowledged_, {})});
  if (phase_ == phase::over)
    return; // the link is gone
  phase_ = phase::leaving;
  send(attachment_words::detach{});
}

// ------------------------------------------------------------- to the session

void remote_inbox_state::on_frame(const attachment_frame& frame) {
  if (phase_ == phase::over)
    return;
  auto message = decode_attachment(frame.bytes);
  if (!message) {
    // What is behind it would leave a gap.
    count(context_->stats.attachment_frames_unusable);
    if (phase_ == phase::asking)
      answer_failure({core::errc::not_leader, {}});
    else if (phase_ == phase::attached)
      self_->send(session_, inbox_released{});
    phase_ = phase::leaving;
    return send(attachment_words::detach{});
  }
  std::visit([this](auto& what) { on(what); }, message->what);
}

template <class Other>
void remote_inbox_state::on(const Other&) {
  count(context_->stats.attachment_frames_unusable);
}

void remote_inbox_state::on(const attachment_words::attached& answer) {
  if (phase_ != phase::asking)
    return;
  if (answer.failure.code != core::errc::ok) {
    answer_failure(answer.failure, answer.leader);
    return end();
  }
  phase_ = phase::attached;
  attached reply;
  reply.ticket = ticket_;
  reply.inbox = inbox_actor{self_};
  reply.device = device_;
  reply.resume = answer.resume;
  reply.acknowledged = answer.acknowledged;
  reply.devices = answer.devices;
  self_->send(session_, std::move(reply));
}

void remote_inbox_state::on(attachment_words::deliveries& batch) {
  if (phase_ == phase::attached && !batch.items.empty())
    self_->send(session_, deliveries{std::move(batch.items)});
}

void remote_inbox_state::on(const attachment_words::devices& news) {
  if (phase_ == phase::attached)
    self_->send(session_, devices_changed{news.count});
}

void remote_inbox_state::on(const attachment_words::fence_passed& news) {
  if (phase_ == phase::attached)
    self_->send(session_, fence_passed{news.ticket});
}

void remote_inbox_state::on(const attachment_words::stop& news) {
  if (phase_ == phase::attached)
    self_->send(session_, session_stop{news.reason});
  end();
}

void remote_inbox_state::on(const attachment_words::released&) {
  if (phase_ == phase::asking)
    answer_failure({core::errc::not_leader, {}});
  else if (phase_ == phase::attached)
    self_->send(session_, inbox_released{});
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

void remote_inbox_state::on_lost() {
  if (phase_ == phase::over)
    return;
  count(context_->stats.attachments_lost);
  if (phase_ == phase::asking)
    answer_failure({core::errc::not_leader, {}});
  else if (phase_ == phase::attached)
    self_->send(session_, inbox_released{});
  end();
}

void remote_inbox_state::on_deadline_tick() {
  if (phase_ != phase::asking)
    return;
  answer_failure({core::errc::timed_out, {}});
  phase_ = phase::leaving;
  send(attachment_words::detach{}); // it may have been heard
}

void remote_inbox_state::end() {
  phase_ = phase::over;
  self_->quit();
}

std::string remote_inbox_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "remote_inbox")
      .member("node", std::uint64_t{leader_.value()})
      .member("attachment", number_)
      .member("realm", std::string_view{inbox_.realm})
      .member("user", std::string_view{inbox_.name})
      .member("device", std::uint64_t{device_.value()})
      .member("session", session_number_)
      .member("attached", phase_ == phase::attached)
      .member("frames_waiting", std::uint64_t{line_ ? line_->waiting() : 0})
      .end_object();
  return std::move(out).text();
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
        return live_inbox{st.describe(), {}};
      },
      [&st](const inspect&) { return st.describe(); },
      [&st](const attachment_frame& m) { st.on_frame(m); },
      [&st](const attachment_lost&) { st.on_lost(); },
      [&st](const deadline_tick&) { st.on_deadline_tick(); },
      [&st](const retry_tick&) { st.on_retry_tick(); },
  };
}

} // namespace troupe::actors
