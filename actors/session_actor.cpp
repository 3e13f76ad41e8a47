// SPDX-License-Identifier: Apache-2.0
#include "actors/session_actor.hpp"

#include "actors/account_operations.hpp"
#include "actors/runtime/pinned.hpp"
#include "core/json_text.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace troupe::actors {
namespace {

/// What a client has acknowledged that went while its inbox had no leader.
class last_words final : public operation {
public:
  explicit last_words(core::cursor_update what) : what_(std::move(what)) {}
  void start() override {
    const auto group = context().group_of(what_.inbox);
    propose(group, core::move_cursors{{std::move(what_)}}, false);
  }
  void on_answer(shard_answer&) override { finish(); }
  void on_timeout() override { finish(); }

private:
  core::cursor_update what_;
};

} // namespace

session_state::session_state(pointer ptr) : self_(ptr) {}

session_state::~session_state() {
  if (context_ != nullptr)
    context_->stats.sessions_open.fetch_sub(1, std::memory_order_relaxed);
}

std::string session_state::path() const {
  return "sessions/" + std::to_string(number_);
}

void session_state::start(session_deps deps) {
  context_ = deps.context;
  line_ = std::move(deps.line);
  number_ = deps.number;
  attaching_.open(*context_, number_);
  realm_ = std::move(deps.realm);
  peer_ = std::move(deps.peer);
  address_ = std::move(deps.address);
  protocol_ = deps.protocol;
  context_->stats.sessions_open.fetch_add(1, std::memory_order_relaxed);
  context_->stats.sessions_opened.fetch_add(1, std::memory_order_relaxed);
}

void session_state::emit(core::session_event event) {
  if (line_ && line_->link != nullptr)
    line_->link->on_event(std::move(event));
}

void session_state::on_finished(core::session_event event) {
  if (!logged_in() || !std::holds_alternative<core::list_edited>(event))
    return emit(std::move(event));
  fenced_.emplace_back(++fences_, std::move(event));
  if (inbox_) // else the next one is asked
    self_->send(inbox_, inbox_fence{fences_, session_actor{self_}});
}

void session_state::on_fence_passed(const fence_passed& fence) {
  while (!fenced_.empty() && fenced_.front().first <= fence.ticket) {
    emit(std::move(fenced_.front().second));
    fenced_.pop_front();
  }
}

// ----------------------------------------------------------------- commands

void session_state::on_commands(session_commands& batch) {
  for (auto& command : batch.items)
    backlog_.push_back(std::move(command));
  drain_backlog();
}

void session_state::drain_backlog() {
  if (!backlog_.empty() && !operations_)
    operations_ = std::make_unique<timed_operations<pointer>>(
        self_, *context_, realm_,
        [this](core::session_event event) { on_finished(std::move(event)); });
  // What follows a login waits for its outcome: it depends on it.
  while (!backlog_.empty() && !login_ && !closed_ &&
         operations_->size() < context_->options.session_requests_max) {
    auto command = std::move(backlog_.front());
    backlog_.pop_front();
    std::visit([this](auto& c) { execute(c); }, command);
  }
  flush();
  if (closed_ && operations_->size() == 0)
    self_->quit();
}

void session_state::flush() {
  if (acknowledged_ && inbox_)
    self_->send(inbox_,
                delivery_acknowledged{device_, attaching_.attachment(),
                                      *std::exchange(acknowledged_, {})});
  if (operations_)
    operations_->flush({}, attaching_.wanted());
}

void session_state::execute(core::register_user& c) {
  if (standing_of(c.uid) != core::deny_reason::none) {
    core::user_registered refused;
    refused.request = c.request;
    refused.failure.code = core::errc::not_permitted;
    return emit(std::move(refused));
  }
  operations_->start(std::make_unique<register_operation>(std::move(c)));
}

void session_state::execute(core::change_aliases& c) {
  operations_->start(
      std::make_unique<change_aliases_operation>(std::move(c), uid_));
}

void session_state::execute(core::add_device& c) {
  if (logged_in()) { // the session is the credential
    c.uid = uid_;
    if (c.previous_device.empty())
      c.previous_device = device_name_;
  }
  if (standing_of(c.uid) != core::deny_reason::none) {
    core::device_added refused;
    refused.request = c.request;
    refused.failure.code = core::errc::not_permitted;
    return emit(std::move(refused));
  }
  operations_->start(std::make_unique<add_device_operation>(std::move(c)));
}

post_sender session_state::sender() const {
  return {uid_, user_created_, device_, devices_};
}

void session_state::execute(core::post& c) {
  if (!logged_in())
    return emit(
        core::posted{c.request, false, {{core::errc::not_logged_in, {}}}, {}});
  if (!may_post(c.request, c.to))
    return;
  operations_->start(std::make_unique<post_operation>(std::move(c), sender()));
}

void session_state::execute(core::post_to_alias& c) {
  if (!logged_in())
    return emit(
        core::posted{c.request, false, {{core::errc::not_logged_in, {}}}, {}});
  // An alias that nobody has is refused as such.
  if (const auto uid = context_->directory->uid_of_alias(realm_, c.alias);
      uid && !may_post(c.request, {{*uid, {}}}))
    return;
  operations_->start(std::make_unique<post_operation>(std::move(c), sender()));
}

void session_state::execute(core::edit_list& c) {
  if (!logged_in())
    return emit(core::list_edited{c.request, {core::errc::not_logged_in, {}}});
  operations_->start(std::make_unique<edit_list_operation>(std::move(c), uid_));
}

void session_state::execute(core::acknowledge& c) {
  if (!logged_in())
    return; // must not count for the inbox of a later login
  // Positions ascend: the last of a batch says it all.
  acknowledged_ = std::max(acknowledged_.value_or(c.up_to), c.up_to);
  acknowledged_all_ = std::max(acknowledged_all_, c.up_to);
}

// -------------------------------------------------------------------- login

void session_state::execute(core::login& c) {
  if (logged_in())
    return refuse_login(c.request, {core::errc::already_logged_in, {}});
  if (context_->draining.load(std::memory_order_relaxed)) {
    context_->stats.logins_sent_away.fetch_add(1, std::memory_order_relaxed);
    return end_session({core::errc::draining, {}});
  }
  if (const auto* judge = context_->authorizer) {
    const auto why = standing_of(c.uid);
    core::rights_stats::count(judge->stats().logins, why);
    if (why != core::deny_reason::none)
      return refuse_login(c.request, {core::errc::not_permitted, {}});
  }
  const auto user = context_->directory->find_user(realm_, c.uid);
  if (!user)
    return refuse_login(c.request, {core::errc::user_unknown, c.uid});
  const auto* device = core::find_device(*user, c.device);
  if (device == nullptr)
    return refuse_login(c.request, {core::errc::device_unknown, {}});
  const auto deadline =
      context_->clock.now() + context_->options.request_timeout;
  login_ = pending_login{std::move(c), user->created, device->offset,
                         device->inherits, deadline};
  ask_for_inbox();
}

void session_state::refuse_login(core::request_number request,
                                 core::error why) {
  context_->stats.logins_failed.fetch_add(1, std::memory_order_relaxed);
  core::logged_in event;
  event.request = request;
  event.failure = std::move(why);
  emit(std::move(event));
}

void session_state::finish_login() {
  auto login = std::move(*std::exchange(login_, {}));
  logged_in_ = true;
  uid_ = std::move(login.command.uid);
  if (context_->authorizer != nullptr)
    rights_.emplace(*context_->authorizer, principal_of(uid_));
  user_created_ = login.user_created;
  device_name_ = std::move(login.command.device);
  device_ = login.device;
  window_ = login.command.window;
  acknowledged_all_ = in_hand_ = {};
  if (line_) {
    line_->uid = uid_;
    line_->device = device_;
  }
  context_->stats.logins.fetch_add(1, std::memory_order_relaxed);
}

// ---------------------------------------------------------------------- end

void session_state::end_session(core::error why) {
  logged_in_ = false;
  inbox_ = inbox_actor{};
  attaching_.end();
  emit(core::session_ended{std::move(why)});
}

void session_state::leave_inbox() {
  const auto known = std::min(acknowledged_all_, in_hand_);
  if (logged_in() && !inbox_ && known > core::inbox_position{})
    operations_->start(std::make_unique<last_words>(core::cursor_update{
        {realm_, core::owner_kind::user, uid_}, device_, known}));
  flush();
  if (inbox_)
    self_->send(std::exchange(inbox_, {}),
                detach{device_, attaching_.attachment()});
  attaching_.end();
  login_.reset();
  logged_in_ = false;
}

/// What an inbox says from which this session is detached already is void.
bool session_state::from_inbox() const {
  return inbox_ == self_->current_sender();
}

// ------------------------------------------------------------------- events

void session_state::on_answers(shard_answers& batch) {
  if (operations_)
    operations_->on_answers(batch);
  drain_backlog();
}

void session_state::on_answers(directory_answers& batch) {
  if (operations_)
    operations_->on_answers(batch);
  drain_backlog();
}

void session_state::on_answer(list_expansion& answer) {
  if (operations_)
    operations_->on_answer(answer);
  drain_backlog();
}

void session_state::on_deliveries(deliveries& batch) {
  if (batch.items.empty() || !from_inbox())
    return;
  // The client has it from the inbox before.
  if (batch.items.front().position <= in_hand_)
    std::erase_if(batch.items,
                  [&](const auto& item) { return item.position <= in_hand_; });
  if (!batch.items.empty())
    in_hand_ = batch.items.back().position;
  for (auto& item : batch.items)
    emit(std::move(item));
}

void session_state::on_devices_changed(const devices_changed& news) {
  devices_ = news.devices;
}

void session_state::on_stop(const session_stop& order) {
  end_session(order.reason); // what still follows is not logged in
}

void session_state::on_deadline_tick() {
  const auto now = context_->clock.now();
  if (login_ && login_->deadline <= now) {
    const auto overdue = std::move(*std::exchange(login_, {}));
    auto why = attaching_.last_failure();
    attaching_.end();
    if (why.code == core::errc::ok)
      why.code = core::errc::timed_out;
    refuse_login(overdue.command.request, std::move(why));
  } else if (attaching_.is_overdue(now)) {
    pause_attaching({core::errc::timed_out, {}});
  }
  if (operations_)
    operations_->on_deadline_tick();
  drain_backlog();
}

void session_state::on_retry_tick() {
  operations_->on_retry_tick();
  flush();
}

/// Requests under way are carried out to their end; nobody is told.
void session_state::execute(core::close_session&) {
  closed_ = true;
  leave_inbox();
  line_.reset();
}

std::string session_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "session")
      .member("number", number_)
      .member("protocol", protocol_)
      .member("peer", std::string_view{peer_})
      .member("realm", std::string_view{realm_})
      .member("logged_in", logged_in());
  if (logged_in())
    out.member("user", std::string_view{uid_})
        .member("device", static_cast<std::uint64_t>(device_.value()))
        .member("attached", static_cast<bool>(inbox_))
        .member("in_hand", in_hand_.value());
  if (attaching_.wanted())
    out.member("attach_failures", std::uint64_t{attaching_.failures()});
  out.member("requests_under_way",
             std::uint64_t{operations_ ? operations_->size() : 0})
      .member("commands_waiting", std::uint64_t{backlog_.size()});
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

session_actor::behavior_type session_behavior(session_state::pointer self,
                                              session_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      [&st](session_commands& m) { st.on_commands(m); },
      [&st](shard_answers& m) { st.on_answers(m); },
      [&st](directory_answers& m) { st.on_answers(m); },
      [&st](list_expansion& m) { st.on_answer(m); },
      [&st](attached& m) { st.on_attached(m); },
      [&st](deliveries& m) { st.on_deliveries(m); },
      [&st](const devices_changed& m) { st.on_devices_changed(m); },
      [&st](const fence_passed& m) { st.on_fence_passed(m); },
      [&st](const inbox_released&) { st.on_released(); },
      [&st](const session_stop& m) { st.on_stop(m); },
      [&st](const deadline_tick&) { st.on_deadline_tick(); },
      [&st](const retry_tick&) { st.on_retry_tick(); },
      [&st](const attach_tick&) { st.on_attach_tick(); },
      [&st](const inspect&) { return st.describe(); },
  };
}

} // namespace troupe::actors
