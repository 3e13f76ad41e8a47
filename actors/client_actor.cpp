// SPDX-License-Identifier: Apache-2.0
#include "actors/client_actor.hpp"

#include "actors/question.hpp"
#include "actors/runtime/pinned.hpp"
#include "core/json_text.hpp"
#include "core/session_machine.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace troupe::actors {
namespace {

constexpr std::chrono::seconds deadline_interval{1};
/// For what a connection that is gone still had to say.
constexpr std::chrono::seconds last_words_patience{3};

} // namespace

client_state::client_state(pointer ptr) : self_(ptr) {}

client_state::~client_state() {
  if (context_ == nullptr)
    return;
  context_->stats.clients_open.fetch_sub(1, std::memory_order_relaxed);
  if (epoch_ != 0)
    context_->stats.clients_lasting.fetch_sub(1, std::memory_order_relaxed);
}

void client_state::start(client_deps deps) {
  context_ = deps.context;
  line_ = std::move(deps.line);
  number_ = deps.number;
  context_->stats.clients_open.fetch_add(1, std::memory_order_relaxed);
}

void client_state::emit(core::client_event event) {
  if (line_ && line_->link != nullptr)
    line_->link->on_event(std::move(event));
}

void client_state::fail(core::error why) {
  if (stage_ == stage::ended)
    return;
  const bool was_open = stage_ == stage::open;
  stage_ = stage::ended;
  attaching_.reset();
  if (was_open) {
    emit(core::client_ended{std::move(why)});
  } else {
    found_.failure = std::move(why);
    emit(std::move(found_));
  }
}

// ----------------------------------------------------------------- commands

void client_state::on_commands(client_commands& batch) {
  for (auto& command : batch.items)
    if (!closed_)
      std::visit([this](auto& c) { execute(c); }, command);
  flush();
}

void client_state::execute(core::open_client& c) {
  if (stage_ != stage::fresh)
    return;
  wanted_ = std::move(c);
  stage_ = stage::opening;
  open_until_ = context_->clock.now() + context_->options.request_timeout;
  operations_ = std::make_unique<operation_table>(
      *context_, wanted_.realm, [](const core::session_event&) {});
  if (wanted_.lasting)
    open_record();
  else
    begin_attaching();
}

void client_state::execute(core::settle_client& c) {
  settled_ = std::max(settled_, c.up_to);
  settled_news_ = true;
  awaiting_.insert(awaiting_.end(), c.awaiting.begin(), c.awaiting.end());
}

void client_state::execute(core::complete_client& c) {
  completed_.push_back(c.packet);
}

void client_state::execute(core::receive_client& c) { received_.push_back(c); }

void client_state::execute(core::release_client& c) {
  released_.push_back(c.packet);
}

void client_state::execute(core::route_client& c) {
  if (stage_ != stage::open || epoch_ == 0)
    return;
  core::change_routes change;
  change.realm = wanted_.realm;
  change.session = wanted_.name;
  change.generation = generation_;
  change.remove = std::move(c.remove);
  change.add = std::move(c.add);
  const bool grows = !change.add.empty();
  operations_->start(std::make_unique<directory_question>(
      std::move(change), grows,
      [this, ticket = c.ticket](core::directory_outcome& outcome) {
        emit(core::client_routed{ticket, std::move(outcome.failure),
                                 outcome.index, std::move(outcome.routes)});
      }));
}

void client_state::execute(core::keep_client& c) {
  wanted_.expiry = c.expiry;
  if (epoch_ != 0)
    ask_shard(core::set_session_expiry{ref(), c.expiry}, false,
              [](core::shard_outcome&) {});
}

/// Requests under way are carried out to their end; nobody is told.
void client_state::execute(core::close_client& c) {
  line_.reset();
  ask_gathered(); // what it has acknowledged comes before
  closed_ = true;
  closed_until_ = context_->clock.now() + last_words_patience;
  attaching_.reset();
  if (inbox_)
    self_->send(std::exchange(inbox_, {}),
                detach{core::session_device, attachment_});
  if (epoch_ == 0 || stage_ == stage::ended)
    return;
  core::close_session_record close;
  close.session = ref();
  close.drop_will = c.drop_will;
  ask_shard(std::move(close), false, [](core::shard_outcome&) {});
}

void client_state::ask_shard(core::shard_command command, bool grows,
                             std::function<void(core::shard_outcome&)> done) {
  operations_->start(std::make_unique<shard_question>(
      context_->group_of(inbox_name()), std::move(command), grows,
      std::move(done)));
}

bool client_state::ends_with(const core::error& why) {
  if (why.code == core::errc::ok)
    return false;
  if (!closed_)
    fail(why.code == core::errc::not_logged_in
             ? core::error{core::errc::conflict, "taken over"}
             : why);
  return true;
}

// ------------------------------------------------------------------ gathered

/// All that was said while one message was handled is one command of each sort.
/// Commands under an epoch that is about to change would fail.
void client_state::ask_gathered() {
  if (stage_ != stage::open || reopening_)
    return;
  settle_gathered();
  complete_gathered();
  receive_gathered();
  release_gathered();
}

void client_state::flush() {
  if (operations_) {
    if (!closed_)
      ask_gathered();
    operations_->flush(
        {shard_client{self_}, directory_client{self_}, list_client{self_}});
    if (const auto pause = operations_->repeat_in();
        pause && !std::exchange(retry_pending_, true))
      self_->delayed_send(self_, *pause, retry_tick{});
    if ((operations_->size() > 0 || attaching_) &&
        !std::exchange(tick_pending_, true))
      self_->delayed_send(self_, deadline_interval, deadline_tick{});
  }
  if (closed_ && (!operations_ || operations_->size() == 0))
    self_->quit();
}

void client_state::settle_gathered() {
  if (!std::exchange(settled_news_, false))
    return;
  if (!awaiting_.empty() && epoch_ != 0) {
    keeping_.insert(settled_);
    core::delivered what;
    what.items.push_back({ref(), settled_, std::exchange(awaiting_, {})});
    auto packets = what.items.front().awaiting;
    ask_shard(std::move(what), false,
              [this, up_to = settled_,
               packets = std::move(packets)](core::shard_outcome& o) {
                auto why = o.failures.empty() ? o.failure : o.failures.front();
                if (ends_with(why))
                  return;
                keeping_.erase(up_to);
                if (keeping_.empty() || up_to < *keeping_.begin())
                  safe_ = std::max(safe_, up_to);
                acknowledge();
                emit(core::client_released{packets});
              });
  }
  acknowledge();
}

/// The cursor must not pass a message of QoS 2 before its id is kept: if this
/// node dies then, its client would be sent neither PUBLISH nor PUBREL again.
void client_state::acknowledge() {
  if (keeping_.empty())
    safe_ = settled_;
  if (inbox_)
    self_->send(inbox_, delivery_acknowledged{core::session_device, attachment_,
                                              safe_});
}

void client_state::complete_gathered() {
  if (completed_.empty() || epoch_ == 0)
    return;
  core::completed what;
  what.items.push_back({ref(), std::exchange(completed_, {})});
  // Lost, it is only asked for once more when the session goes on.
  ask_shard(std::move(what), false, [](core::shard_outcome&) {});
}

void client_state::receive_gathered() {
  if (received_.empty() || epoch_ == 0)
    return;
  core::begin_receive what;
  std::vector<std::uint64_t> tickets;
  for (const auto& each : std::exchange(received_, {})) {
    what.items.push_back({ref(), each.packet});
    tickets.push_back(each.ticket);
  }
  ask_shard(
      std::move(what), true,
      [this, tickets = std::move(tickets)](core::shard_outcome& o) {
        for (std::size_t i = 0; i < tickets.size(); ++i) {
          core::client_received told{tickets[i], o.failure.code, 0, false};
          if (told.code == core::errc::ok && i < o.receipts.size())
            told = {tickets[i], o.receipts[i].code, o.receipts[i].number,
                    o.receipts[i].repeated};
          else if (told.code == core::errc::ok)
            told.code = core::errc::timed_out;
          if (told.code == core::errc::not_logged_in) {
            (void)ends_with({told.code, {}});
            return;
          }
          emit(told);
        }
      });
}

void client_state::release_gathered() {
  if (released_.empty() || epoch_ == 0)
    return;
  core::end_receive what;
  what.items.push_back({ref(), std::exchange(released_, {})});
  auto packets = what.items.front().packets;
  ask_shard(std::move(what), false,
            [this, packets = std::move(packets)](core::shard_outcome& o) {
              auto why = o.failures.empty() ? o.failure : o.failures.front();
              if (!ends_with(why))
                emit(core::client_completed{packets});
            });
}

// ------------------------------------------------------------------- events

void client_state::on_answers(shard_answers& batch) {
  if (operations_)
    operations_->on_answers(batch);
  flush();
}

void client_state::on_answers(directory_answers& batch) {
  if (operations_)
    operations_->on_answers(batch);
  flush();
}

void client_state::on_deliveries(deliveries& batch) {
  // Of a session that has no record there are none that are for this one.
  if (!wanted_.lasting || stage_ != stage::open || !from_inbox())
    return;
  for (auto& item : batch.items) {
    if (item.position <= in_hand_)
      continue; // it has it from the inbox before
    in_hand_ = item.position;
    emit(core::client_delivery{item.position, std::move(item.message)});
  }
}

void client_state::on_stop(const session_stop& order) {
  if (!from_inbox())
    return;
  inbox_ = inbox_actor{};
  // The inbox is gone: a clean start made another session of that name.
  fail(order.reason.code == core::errc::user_unknown
           ? core::error{core::errc::conflict, "taken over"}
           : order.reason);
}

void client_state::on_deadline_tick() {
  tick_pending_ = false;
  const auto now = context_->clock.now();
  if (stage_ == stage::opening && open_until_ <= now) {
    auto why = std::move(last_failure_);
    if (why.code == core::errc::ok)
      why.code = core::errc::timed_out;
    fail(std::move(why));
  } else if (context_->options.clustered && attaching_ &&
             attaching_->ticket != 0 && attaching_->answer_due <= now) {
    pause_attaching();
  }
  if (operations_)
    operations_->expire(now);
  // What is left then the shard finds out by itself.
  if (closed_ && now >= closed_until_)
    return self_->quit();
  flush();
}

void client_state::on_retry_tick() {
  retry_pending_ = false;
  operations_->repeat(context_->clock.now());
  flush();
}

std::string client_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "client")
      .member("number", number_)
      .member("realm", std::string_view{wanted_.realm})
      .member("client_id", std::string_view{wanted_.name})
      .member("user", std::string_view{wanted_.uid})
      .member("lasting", epoch_ != 0)
      .member("open", stage_ == stage::open)
      .member("attached", static_cast<bool>(inbox_))
      .member("settled", settled_.value())
      .member("in_hand", in_hand_.value())
      .member("requests_under_way",
              std::uint64_t{operations_ ? operations_->size() : 0});
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

client_actor::behavior_type client_behavior(client_state::pointer self,
                                            client_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      // What belongs to a user's session.
      [](session_commands&) {},
      [&st](shard_answers& m) { st.on_answers(m); },
      [&st](directory_answers& m) { st.on_answers(m); },
      [](list_expansion&) {},
      [&st](attached& m) { st.on_attached(m); },
      [&st](deliveries& m) { st.on_deliveries(m); },
      [](const devices_changed&) {},
      [](const fence_passed&) {},
      [&st](const inbox_released&) { st.on_released(); },
      [&st](const session_stop& m) { st.on_stop(m); },
      [&st](const deadline_tick&) { st.on_deadline_tick(); },
      [&st](const retry_tick&) { st.on_retry_tick(); },
      [&st](const attach_tick&) { st.on_attach_tick(); },
      [&st](const inspect&) { return st.describe(); },
      [&st](client_commands& m) { st.on_commands(m); },
  };
}

} // namespace troupe::actors
