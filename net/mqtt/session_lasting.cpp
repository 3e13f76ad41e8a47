// SPDX-License-Identifier: Apache-2.0
// What a session does for its gate with what outlives the connection: its
// client's session in the broker, and publications that are queued.
#include "net/mqtt/crossing.hpp"
#include "net/mqtt/session.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

namespace troupe::net::mqtt {
namespace {

/// How a client is told why its session can't be had.
std::pair<reason_code, std::string_view> refusal_of(core::errc why) {
  switch (why) {
  case core::errc::not_permitted:
    return {reason_code::client_identifier_not_valid,
            "the client identifier is another user's"};
  case core::errc::name_invalid:
    return {reason_code::client_identifier_not_valid,
            "no client identifier for a session"};
  case core::errc::storage_full:
    return {reason_code::quota_exceeded, "no room for a session"};
  case core::errc::too_large:
    return {reason_code::packet_too_large, "too large to be kept"};
  default:
    return {reason_code::server_unavailable,
            "the cluster can't give it a session now"};
  }
}

std::optional<core::milliseconds> expiry_of(seconds expiry) {
  if (expiry == never)
    return std::nullopt;
  return std::chrono::seconds{expiry.count()};
}

/// Whether the inbox drops what has expired. Of QoS 2 it may be under way, and
/// must not be dropped then [MQTT-4.3.3-7]: the gate, which knows, skips it.
bool expires_in_inbox(qos level) { return level != qos::exactly_once; }

/// A message from an inbox, as those who listen get it.
core::publication_ptr publication_of(const core::message& m) {
  auto name = core::topic::parse(m.topic);
  if (!name)
    return nullptr;
  auto made = std::make_shared<core::publication>();
  made->realm = m.realm;
  made->topic = std::move(*name);
  // About the time in microseconds.
  made->number = static_cast<std::uint64_t>(core::to_millis(m.created)) * 1000;
  made->sender = m.sender;
  made->content_type = m.content_type;
  made->headers = m.headers;
  made->payload = m.payload;
  return made;
}

} // namespace

// --------------------------------------------------------------- the session

/// Hears what the client's session says.
class session::client_ear final : public core::client_link {
public:
  explicit client_ear(session& of) : of_(of) {}

private:
  void on_event(core::client_event event) override {
    of_.hear(std::move(event));
  }
  session& of_;
};

features session::available() const {
  features can;
  can.shared = true;
  can.retained = keys() != nullptr;
  const auto& options = house_.options();
  if (house_.serving() && house_.with().clients != nullptr &&
      options.sessions_last)
    can.session_expiry_max = options.session_expiry_max;
  return can;
}

void session::open_session(const session_request& what) {
  auto* clients = house_.with().clients;
  if (clients == nullptr) {
    enter();
    return gate_.on_session({});
  }
  ear_ = std::make_shared<client_ear>(*this);
  port_ = clients->open(host_.home(), *ear_, host_.info().id.value());
  core::open_client open;
  open.realm = house_.options().realm;
  open.name = what.client_id;
  open.uid = rights_->who().uid;
  open.lasting = what.expiry.count() > 0;
  open.clean_start = what.clean_start;
  open.expiry = expiry_of(what.expiry);
  open.protocol = mqtt::to_string(gate_.speaking());
  open.receive_max = what.receive_max;
  open.window = what.window;
  open.will = what.will;
  ask(std::move(open));
}

/// The house knows it, and whoever it had by that name is told to go.
void session::enter() {
  entered_ = true;
  const auto weak = std::weak_ptr<session*>{self_};
  const auto& info = host_.info();
  tenant self;
  self.number = info.id.value();
  self.facts = {rights_->who().uid,
                to_string(info.peer),
                mqtt::to_string(gate_.speaking()),
                endpoint_ != nullptr,
                info.tls,
                wall()};
  self.post = house_.with().this_loop();
  self.end = [weak](farewell why) {
    if (const auto still = weak.lock())
      (*still)->run([&] { (*still)->gate_.on_farewell(why); });
  };
  self.who = [weak]() -> std::optional<core::principal> {
    const auto still = weak.lock();
    if (!still || !(*still)->rights_)
      return std::nullopt;
    return (*still)->rights_->who();
  };
  self.watch = [weak](std::shared_ptr<trace> by) {
    if (const auto still = weak.lock())
      (*still)->trace_ = std::move(by);
  };
  house_.enter(gate_.client_id(), std::move(self));
  trace_ = house_.trace_of(gate_.client_id());
  tell_trace(trace_way::event, [&] {
    return "connects from " + to_string(info.peer) + " with MQTT " +
           std::string{mqtt::to_string(gate_.speaking())} +
           (rights_->who().uid.empty() ? "" : " as " + rights_->who().uid);
  });
}

void session::ask(core::client_command what) {
  if (port_)
    commands_.push_back(std::move(what));
}

/// All that one call has asked for goes in one piece.
void session::send_commands() {
  if (port_ && !commands_.empty())
    port_->send(std::exchange(commands_, {}));
}

void session::leave(bool drop_will) {
  send_commands();
  if (const auto port = std::exchange(port_, nullptr))
    port->close(drop_will);
}

void session::hear(core::client_event event) {
  run([&] { std::visit([this](auto& what) { on(what); }, event); });
}

void session::on(core::client_opened& what) {
  if (what.failure.code != core::errc::ok) {
    const auto [code, text] = refusal_of(what.failure.code);
    return gate_.on_refused(code, text);
  }
  enter();
  session_found found;
  found.present = what.present;
  found.routes = std::move(what.routes);
  found.awaiting = std::move(what.awaiting);
  found.closed = what.closed;
  gate_.on_session(found);
}

void session::on(core::client_delivery& what) {
  const auto& m = *what.message;
  outgoing to_send;
  to_send.what = publication_of(m);
  if (!to_send.what)
    return; // the cursor goes over it with the next one
  to_send.level = m.qos == 2 ? qos::exactly_once : qos::at_least_once;
  to_send.retain = m.retain;
  to_send.subscription_ids = m.subscription_ids;
  gate_.on_delivery(what.position, std::move(to_send), m.created);
}

void session::on(const core::client_released& what) {
  gate_.on_released(what.packets);
}

void session::on(const core::client_completed& what) {
  gate_.on_completed(what.packets);
}

void session::on(const core::client_routed& what) { gate_.on_routed(what); }

void session::on(const core::client_ended& what) {
  switch (what.reason.code) {
  case core::errc::conflict:
    return gate_.on_farewell(farewell::taken_over);
  case core::errc::not_permitted:
    return gate_.on_farewell(farewell::kicked);
  case core::errc::shutting_down:
    return gate_.on_farewell(farewell::shutting_down);
  default:
    return gate_.on_farewell(farewell::out_of_reach);
  }
}

// -------------------------------------------------------------- requests

void session::release(packet_id id) { ask(core::release_client{id.value()}); }

void session::settle(core::inbox_position up_to,
                     std::vector<std::uint16_t> awaiting) {
  ask(core::settle_client{up_to, std::move(awaiting)});
}

void session::complete(packet_id id) { ask(core::complete_client{id.value()}); }

void session::route(std::uint64_t ticket, std::vector<core::route_name> remove,
                    std::vector<core::route> add) {
  ask(core::route_client{ticket, std::move(remove), std::move(add)});
}

void session::keep(seconds expiry) {
  ask(core::keep_client{expiry_of(expiry)});
}

// ---------------------------------------------------------------- publishing

queue_terms session::terms_for(const core::publication& what,
                               std::uint64_t ticket) {
  const auto marks = marks_of(what);
  queue_terms terms;
  terms.qos = static_cast<std::uint8_t>(marks.level);
  if (marks.level == qos::at_most_once)
    return terms;
  terms.retain = marks.retain;
  terms.publisher = gate_.client_id();
  if (marks.expiry && expires_in_inbox(marks.level))
    terms.time_to_live = std::chrono::seconds{marks.expiry->count()};
  terms.done = [weak = std::weak_ptr<session*>{self_}, ticket](core::errc why) {
    if (const auto still = weak.lock())
      (*still)->run(
          [&] { (*still)->gate_.on_published(ticket, outcome_of(why)); });
  };
  return terms;
}

publish_state session::hand_over(core::publication what, std::string_view shown,
                                 queue_terms terms, std::uint64_t ticket) {
  what.realm = house_.options().realm;
  what.publisher = host_.info().id.value();
  what.sender = rights_->who().uid;
  const bool writes = house_.audit().writes();
  const auto type = writes ? what.content_type : std::string{};
  const auto payload = writes ? what.payload : core::shared_bytes{};
  const auto done = pass_on(std::move(what), shown, std::move(terms), ticket);
  tell_trace(trace_way::event, [&] {
    return std::string{done == publish_state::done      ? "published"
                       : done == publish_state::pending ? "to be kept first"
                                                        : "refused"};
  });
  if (writes)
    note(core::audit_kind::publish, shown, type,
         done == publish_state::refused ? "too large" : "", payload);
  return done;
}

/// First its number is kept under its packet id, then it is published.
void session::publish_once(core::publication what, std::string_view shown,
                           std::uint64_t ticket, packet_id id) {
  numbering_.emplace(ticket, numbered{std::move(what), std::string{shown}});
  ask(core::receive_client{id.value(), ticket});
}

void session::on(const core::client_received& what) {
  const auto at = numbering_.find(what.ticket);
  if (at == numbering_.end())
    return;
  auto kept = std::move(at->second);
  numbering_.erase(at);
  if (what.code != core::errc::ok)
    return gate_.on_published(what.ticket, outcome_of(what.code));
  auto terms = terms_for(kept.what, what.ticket);
  // Who listens just now may have had it the first time.
  terms.only_queue = what.repeated;
  terms.deduplication_key = "mqtt/" + std::to_string(what.number);
  if (what.repeated)
    count(house_.stats().repeated);
  switch (hand_over(std::move(kept.what), kept.shown, std::move(terms),
                    what.ticket)) {
  case publish_state::pending:
    return;
  case publish_state::done:
    return gate_.on_published(what.ticket, reason_code::success);
  case publish_state::refused:
  case publish_state::failed:
    return gate_.on_published(what.ticket, reason_code::quota_exceeded);
  }
}

void session::queue_own(const core::publication& what, qos level, bool retain,
                        std::vector<std::uint32_t> subscription_ids) {
  core::inbox_recipient to;
  to.name = gate_.client_id();
  to.kind = core::owner_kind::session;
  to.qos = static_cast<std::uint8_t>(level);
  to.retain_as_published = retain;
  to.subscription_ids = std::move(subscription_ids);
  queue_terms terms;
  terms.qos = to.qos;
  terms.retain = retain;
  const auto expiry = marks_of(what).expiry;
  if (!expiry)
    return house_.with().topics.queue_for(to, what, terms);
  // Its time in the inbox begins now.
  auto left = what;
  lessen_expiry(left, wall());
  if (expires_in_inbox(level))
    terms.time_to_live = std::chrono::seconds{marks_of(left).expiry->count()};
  house_.with().topics.queue_for(to, left, terms);
}

} // namespace troupe::net::mqtt
