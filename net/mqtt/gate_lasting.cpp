// SPDX-License-Identifier: Apache-2.0
// What outlives the connection: subscriptions that the directory has, messages
// that wait in the inbox of the session, packet ids.
#include "net/mqtt/crossing.hpp"
#include "net/mqtt/gate_parts.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net::mqtt {

// ------------------------------------------------------------------- opening

void gate::begin_lasting(const session_found& found) {
  lasting_ = std::make_unique<lasting>(inflight_max_, found.awaiting);
  lasting_->closed = found.closed;
  if (!found.present)
    return;
  std::vector<core::route_name> lost;
  for (const auto& one : found.routes)
    restore(one, lost);
  unroute(std::move(lost));
}

/// Behind the CONNACK [MQTT-4.4.0-1].
void gate::resume(const session_found& found) {
  for (const auto id : found.awaiting) {
    pubrel told;
    told.id = packet_id{id};
    world_.send(any_packet{told});
  }
}

/// A subscription that was made over an earlier connection. What is not
/// permitted any more is lost.
void gate::restore(const core::route& one,
                   std::vector<core::route_name>& lost) {
  auto filter = core::topic_filter::parse(one.name.filter);
  if (!filter || world_.check(core::right::subscribe, *filter) !=
                     core::deny_reason::none) {
    lost.push_back(one.name);
    return;
  }
  subscription made;
  made.filter = made.heard = *filter;
  made.level = static_cast<qos>(std::min<std::uint8_t>(one.options.qos, 2));
  made.no_local = one.options.no_local;
  made.retain_as_published = one.options.retain_as_published;
  made.id = one.options.subscription_id;
  made.share = one.name.share;
  // All nodes have had time to hear of it: whatever was matched was matched
  // with it, and a later index would have it come twice.
  made.routed_at = 0;
  // Without room in this node's table of filters, what is queued comes all the
  // same.
  if (!world_.listen(made.heard, made.share, made.filter.text()))
    count(stats_.refused_subscribe);
  if (made.share.empty())
    subscriptions_.add(std::move(made));
  else
    shares_.emplace(share_key(*filter, one.name.share), std::move(made));
  count(stats_.subscriptions);
}

// ------------------------------------------------------------- subscriptions

core::route gate::route_of(const subscription& what) const {
  core::route made;
  made.name = {what.heard.text(), what.share};
  made.options.qos = static_cast<std::uint8_t>(what.level);
  made.options.no_local = what.no_local;
  made.options.retain_as_published = what.retain_as_published;
  made.options.subscription_id = what.id;
  return made;
}

subscription* gate::find_subscription(const parsed_filter& which) {
  if (which.share.empty())
    return subscriptions_.find(which.filter);
  const auto at = shares_.find(share_key(which.filter, which.share));
  return at == shares_.end() ? nullptr : &at->second;
}

/// Nobody is told that he is subscribed before what is published from then on
/// would be found by him after a crash.
void gate::answer_when_routed(suback told,
                              const std::vector<subscription_request>& asked) {
  lasting::answer waiting;
  std::vector<core::route> add;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto which = parse_filter(asked[i].filter);
    if (!which || is_failure(told.reasons[i]))
      continue;
    auto* found = find_subscription(*which);
    if (found == nullptr)
      continue; // it only looks as if
    found->asked = last_ticket_ + 1;
    if (found->routing == subscription::not_yet)
      found->routing = found->asked;
    add.push_back(route_of(*found));
    waiting.places.push_back(i);
    waiting.names.push_back(
        {found->filter.text(), found->share}); // as the client means it
  }
  auto gone = std::exchange(lasting_->gone, {});
  if (add.empty() && gone.empty())
    return tell(told);
  waiting.removed = gone.size();
  waiting.told = std::move(told);
  const auto ticket = ++last_ticket_;
  lasting_->answers.emplace(ticket, std::move(waiting));
  world_.route(ticket, std::move(gone), std::move(add));
}

void gate::answer_when_routed(unsuback told,
                              std::vector<core::route_name> gone) {
  if (gone.empty())
    return world_.send(any_packet{told});
  lasting::answer waiting;
  waiting.removed = gone.size();
  waiting.told = std::move(told);
  const auto ticket = ++last_ticket_;
  lasting_->answers.emplace(ticket, std::move(waiting));
  world_.route(ticket, std::move(gone), {});
}

/// Nobody waits.
void gate::unroute(std::vector<core::route_name> gone) {
  if (lasting_ && !gone.empty())
    world_.route(++last_ticket_, std::move(gone), {});
}

void gate::on_routed(const core::client_routed& what) {
  if (stage_ != stage::open || !lasting_)
    return;
  const auto code = what.failure.code;
  if (code != core::errc::ok && code != core::errc::too_many &&
      code != core::errc::too_large && code != core::errc::name_invalid)
    return fail(reason_code::server_busy,
                "the cluster can't keep subscriptions now");
  const auto at = lasting_->answers.find(what.ticket);
  if (at == lasting_->answers.end())
    return;
  auto answer = std::move(at->second);
  lasting_->answers.erase(at);
  if (auto* told = std::get_if<suback>(&answer.told))
    for (std::size_t i = 0; i < answer.places.size(); ++i) {
      const auto filter = core::topic_filter::parse(answer.names[i].filter);
      auto* of = find_subscription({*filter, answer.names[i].share});
      const auto place = answer.removed + i;
      const bool kept = code == core::errc::ok && place < what.results.size() &&
                        what.results[place] != core::route_result::refused;
      const bool awaited = of != nullptr && of->routing == what.ticket;
      if (kept && awaited) {
        of->routed_at = what.at.value();
        of->routing = 0;
      }
      if (kept)
        continue;
      count(stats_.refused_subscribe);
      told->reasons[answer.places[i]] =
          code == core::errc::ok || code == core::errc::too_many
              ? reason_code::quota_exceeded
              : reason_code::topic_filter_invalid;
      if (awaited && of->asked != what.ticket) {
        of->routing = of->asked; // it was asked for again, and that may work
      } else if (awaited) {
        std::vector<core::route_name> gone;
        (void)forget({*filter, answer.names[i].share}, gone);
        unroute(std::move(gone)); // it may have been there with other options
      }
    }
  if (const auto* told = std::get_if<suback>(&answer.told))
    return tell(*told);
  world_.send(any_packet{std::get<unsuback>(answer.told)});
}

// ---------------------------------------------------------------- deliveries

bool gate::comes_by_inbox(const core::publication& what, const wanted& by) {
  return what.queued_as_of != 0 &&
         (by.routed_at <= what.queued_as_of || by.routed_at == wanted::none_is);
}

/// What was matched against a table that has this subscription is on its way
/// through the inbox; what was not, because that table was older or because it
/// comes from elsewhere, goes there now. Nothing is promised yet where none of
/// them has been answered.
void gate::deliver_lasting(const core::publication_ptr& what, const wanted& by,
                           qos published, bool retain) {
  if (comes_by_inbox(*what, by))
    return;
  const auto level = std::min(by.level, published);
  if (level != qos::at_most_once)
    return world_.queue_own(*what, level, retain, by.ids);
  deliver(what, by, published, retain);
}

void gate::on_delivery(core::inbox_position position, outgoing what,
                       core::timestamp queued) {
  if (stage_ != stage::open || !lasting_)
    return;
  lasting_->window.add({position, std::move(what), queued <= lasting_->closed});
  pump_lasting();
}

void gate::pump_lasting() {
  if (!lasting_)
    return;
  auto& window = lasting_->window;
  while (stage_ == stage::open) {
    const auto* next = window.ready();
    if (next == nullptr || world_.backlog() > options_.backlog_bytes_max)
      break;
    const auto& message = next->what;
    delivery one{message.what, message.level, message.retain,
                 lasting_window::id_of(next->position)};
    one.duplicate = next->again;
    // [MQTT-4.3.3-7]: what was under way does not expire. Of QoS 2 that can't
    // have been more than fits into the window, where each stays until its id
    // is durable, and it was at the front of the inbox.
    const bool resumes = next->again && message.level == qos::exactly_once;
    one.expires = !resumes || lasting_->resumed >= inflight_max_;
    one.subscription_ids = message.subscription_ids;
    if (send(one)) {
      lasting_->resumed += resumes ? 1 : 0;
      window.begin();
    } else {
      window.skip();
    }
  }
  if (auto settled = window.take_settled())
    world_.settle(settled->up_to, std::move(settled->awaiting));
}

void gate::on_lasting_answer(send_window::outcome what) {
  if (what == send_window::outcome::violation)
    return protocol_error("an answer that is not due");
  pump_lasting();
}

void gate::on_lasting_pubrec(const pubrec& what) {
  const auto outcome =
      lasting_->window.on_pubrec(what.id, is_failure(what.reason));
  const bool unknown = outcome == send_window::outcome::unknown;
  if (!unknown && outcome != send_window::outcome::release)
    return on_lasting_answer(outcome);
  if (unknown && is_failure(what.reason))
    return;
  pubrel told;
  told.id = what.id;
  if (unknown && is_5())
    told.reason = reason_code::packet_identifier_not_found;
  world_.send(any_packet{told});
}

void gate::on_released(const std::vector<std::uint16_t>& packets) {
  if (stage_ != stage::open || !lasting_)
    return;
  for (const auto id : packets) {
    lasting_->window.on_released(packet_id{id});
    pubrel told;
    told.id = packet_id{id};
    world_.send(any_packet{told});
  }
}

void gate::on_completed(const std::vector<std::uint16_t>& packets) {
  if (stage_ != stage::open || !lasting_)
    return;
  for (const auto id : packets) {
    if (lasting_->releasing.erase(id) == 0)
      continue;
    pubcomp told;
    told.id = packet_id{id};
    world_.send(any_packet{told});
  }
}

} // namespace troupe::net::mqtt
