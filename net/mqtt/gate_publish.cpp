// SPDX-License-Identifier: Apache-2.0
// What the client publishes, and how that is answered.
#include "net/mqtt/crossing.hpp"
#include "net/mqtt/gate.hpp"
#include "net/mqtt/gate_parts.hpp"
#include "net/mqtt/topic_spelling.hpp"
#include "net/ws/utf8.hpp"

#include <utility>

namespace troupe::net::mqtt {
namespace {

void count_received(mqtt_stats& stats, const publish& what) {
  count(what.level == qos::at_most_once    ? stats.received_qos0
        : what.level == qos::at_least_once ? stats.received_qos1
                                           : stats.received_qos2);
  count(stats.received_bytes, what.payload.size());
}

} // namespace

/// The topic, by its alias if it has one; nothing: the connection has ended.
std::optional<std::string_view> gate::name_of(const publish& what) {
  if (!what.topic_alias)
    return what.topic;
  const auto number = *what.topic_alias;
  if (number == 0 || number > options_.topic_alias_max) {
    fail(reason_code::topic_alias_invalid,
         "[MQTT-3.3.2-9] a topic alias above the maximum");
    return std::nullopt;
  }
  if (!aliases_in_)
    aliases_in_ = std::make_unique<received_aliases>();
  if (!what.topic.empty())
    aliases_in_->set(number, what.topic);
  const auto* found = aliases_in_->find(number);
  if (found == nullptr) {
    protocol_error("a topic alias that stands for nothing");
    return std::nullopt;
  }
  return *found;
}

void gate::on(const publish& what) {
  count_received(stats_, what);
  if (what.level == qos::exactly_once && received_.holds(what.id)) {
    // [MQTT-4.3.3-10]: answered again, and not published again. An answer that
    // is still due stands for both.
    count(stats_.repeated);
    if (received_.is_due(what.id))
      return;
    received_.begin(what.id, what.level, ++last_ticket_);
    received_.set(last_ticket_, reason_code::success);
    return answer_ready();
  }
  if (what.level != qos::at_most_once && is_5() &&
      received_.size() >= options_.receive_maximum)
    return fail(reason_code::receive_maximum_exceeded,
                "[MQTT-3.3.4-7] more publications than the receive maximum");
  const auto name = name_of(what);
  if (!name)
    return;
  if (what.retain && is_5() && !world_.available().retained)
    return fail(reason_code::retain_not_supported,
                "[MQTT-3.2.2-14] nothing is retained here");
  auto topic = parse_topic(*name);
  if (!topic)
    return fail(reason_code::topic_name_invalid, "no topic");
  auto why = name->starts_with('$')
                 ? core::deny_reason::not_granted // the broker's own
                 : world_.check(core::right::publish, *topic);
  if (why == core::deny_reason::none)
    why = world_.allow_message();
  if (why != core::deny_reason::none)
    return deny(what, *name, why);
  auto outcome = reason_code::success;
  const auto ticket = ++last_ticket_;
  if (what.level != qos::at_most_once)
    received_.begin(what.id, what.level, ticket);
  if (what.properties.payload_is_text.value_or(false) &&
      !ws::is_utf8(what.payload.view())) {
    outcome = reason_code::payload_format_invalid;
  } else if (lasting_ && what.level == qos::exactly_once) {
    return world_.publish_once(publication_of(std::move(*topic), what.level,
                                              what.retain, what.properties,
                                              what.payload),
                               *name, ticket, what.id);
  } else {
    switch (world_.publish(publication_of(std::move(*topic), what.level,
                                          what.retain, what.properties,
                                          what.payload),
                           *name, ticket)) {
    case publish_state::pending:
      return;
    case publish_state::done:
      break;
    case publish_state::refused:
      outcome = reason_code::quota_exceeded;
      break;
    case publish_state::failed:
      outcome = reason_code::implementation_specific_error;
      break;
    }
  }
  on_published(ticket, outcome);
}

void gate::on_published(std::uint64_t ticket, reason_code outcome) {
  if (stage_ != stage::open)
    return;
  if (is_failure(outcome))
    count(stats_.refused_publish);
  received_.set(ticket, outcome);
  answer_ready();
}

void gate::answer_ready() {
  receive_window::answer next;
  while (stage_ == stage::open && received_.take(next)) {
    // [MQTT-3.3.5-2]: before MQTT 5 there is no other way to say no.
    if (!is_5() && is_failure(next.outcome)) {
      fail(next.outcome, "a publication can't be taken");
      return;
    }
    answer(next.id, next.level, next.outcome);
  }
}

void gate::answer(packet_id id, qos level, reason_code outcome) {
  if (level == qos::at_least_once) {
    puback told;
    told.id = id;
    told.reason = outcome;
    return world_.send(any_packet{told});
  }
  // [MQTT-4.3.3-9]: the id is free, and nothing more is said about it.
  if (lasting_ && is_failure(outcome))
    world_.release(id);
  pubrec told;
  told.id = id;
  told.reason = outcome;
  world_.send(any_packet{told});
}

void gate::deny(const publish& what, std::string_view name,
                core::deny_reason why) {
  count(stats_.refused_publish);
  world_.refused(core::audit_kind::publish, name, core::to_string(why));
  const bool is_rate = why == core::deny_reason::too_many_messages ||
                       why == core::deny_reason::busy;
  // Who is too fast is not cut for it, as far as it can be told otherwise.
  if (!is_rate && denied_ == denial_policy::close)
    return fail(reason_code::not_authorized, core::to_string(why));
  if (what.level == qos::at_most_once)
    return;
  auto outcome = reason_of(why);
  if (is_rate && !is_5())
    return fail(outcome, core::to_string(why));
  if (!is_rate && (denied_ == denial_policy::silent || !is_5()))
    outcome = reason_code::success;
  const auto ticket = ++last_ticket_;
  received_.begin(what.id, what.level, ticket);
  received_.set(ticket, outcome);
  answer_ready();
}

void gate::on(const pubrel& what) {
  if (lasting_) {
    received_.release(what.id);
    lasting_->releasing.insert(what.id.value());
    return world_.release(what.id);
  }
  pubcomp told;
  told.id = what.id;
  if (!received_.release(what.id) && is_5())
    told.reason = reason_code::packet_identifier_not_found;
  world_.send(any_packet{told});
}

} // namespace troupe::net::mqtt
