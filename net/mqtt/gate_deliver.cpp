// SPDX-License-Identifier: Apache-2.0
// What the client is sent, and how it answers.
#include "net/mqtt/crossing.hpp"
#include "net/mqtt/gate_parts.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net::mqtt {
void gate::on_publication(const core::publication_ptr& what) {
  if (stage_ != stage::open)
    return;
  // Once for all subscriptions that overlap (MQTT 5, 3.3.4).
  if (last_ == what.get() && last_number_ == what->number)
    return;
  last_ = what.get();
  last_number_ = what->number;
  wanted by;
  subscriptions_.match(*what, world_.is_own(*what), by);
  if (!by.any)
    return;
  const auto marks = marks_of(*what);
  const bool retain = marks.retain && by.retain_as_published;
  if (lasting_ && by.level != qos::at_most_once)
    return deliver_lasting(what, by, marks.level, retain);
  deliver(what, by, marks.level, retain);
}

wanted gate::wanted_by(const subscription& share) {
  wanted by;
  by.any = true;
  by.level = share.level;
  by.retain_as_published = share.retain_as_published;
  if (share.id != 0)
    by.ids.push_back(share.id);
  if (share.routing == 0)
    by.routed_at = share.routed_at;
  return by;
}

void gate::on_shared(const core::topic_filter& filter, std::string_view share,
                     const core::publication_ptr& what) {
  if (stage_ != stage::open)
    return;
  const auto found = shares_.find(share_key(filter, share));
  if (found == shares_.end())
    return;
  const auto by = wanted_by(found->second);
  const auto marks = marks_of(*what);
  const bool retain = marks.retain && by.retain_as_published;
  if (lasting_ && by.level != qos::at_most_once)
    return deliver_lasting(what, by, marks.level, retain);
  deliver(what, by, marks.level, retain);
}

bool gate::on_retained(const core::topic_filter& of,
                       const core::publication_ptr& what) {
  if (stage_ != stage::open)
    return false;
  const auto* found = subscriptions_.find(of);
  if (found == nullptr)
    return false;
  if (!found->heard.matches(what->topic))
    return true; // its rights have changed
  wanted by;
  by.any = true;
  by.level = found->level;
  if (found->id != 0)
    by.ids.push_back(found->id);
  const auto level = marks_of(*what).level;
  if (lasting_ && std::min(by.level, level) != qos::at_most_once)
    world_.queue_own(*what, std::min(by.level, level), true, by.ids);
  else
    deliver(what, by, level, true); // [MQTT-3.3.1-8]
  return stage_ == stage::open;
}

bool gate::takes_retained() const {
  // Half of the room is for what comes meanwhile.
  return stage_ == stage::open &&
         world_.backlog() <= options_.backlog_bytes_max / 2 &&
         (!lasting_ || (lasting_->window.waiting() == 0 &&
                        lasting_->window.inflight() < inflight_max_)) &&
         (!window_ || (!window_->any_waits() && window_->open()));
}

lot gate::lot_of(const core::publication& what, qos level) const {
  const bool is_slow = world_.backlog() > options_.backlog_bytes_max;
  if (level == qos::at_most_once)
    return is_slow ? lot::too_slow : lot::goes;
  if (!is_slow && (!window_ || (!window_->any_waits() && window_->open())))
    return lot::goes;
  if (window_ ? window_->takes(what) : options_.queue_messages_max > 0)
    return lot::waits;
  return options_.queue_full == overflow_policy::drop ? lot::queue_full
                                                      : lot::ends_it;
}

void gate::deliver(const core::publication_ptr& what, const wanted& by,
                   qos published, bool retain) {
  delivery message{what, std::min(by.level, published), retain};
  message.subscription_ids = by.ids;
  const auto becomes = lot_of(*what, message.level);
  if (becomes == lot::too_slow)
    return count(stats_.dropped_slow);
  if (message.level == qos::at_most_once) {
    send(message);
    return;
  }
  if (!window_)
    window_ = std::make_unique<send_window>(send_window::bounds{
        inflight_max_, options_.queue_messages_max, options_.queue_bytes_max});
  if (becomes != lot::goes)
    return queue({what, message.level, retain, by.ids});
  message.id = window_->begin(message.level);
  if (!send(message))
    window_->take_back(message.id);
}

void gate::queue(outgoing what) {
  if (window_->wait(std::move(what)))
    return count(stats_.queued);
  if (options_.queue_full == overflow_policy::drop)
    return count(stats_.dropped_queue_full);
  count(stats_.ended_slow);
  fail(reason_code::quota_exceeded, "too many messages wait");
}

bool gate::send(delivery& one) {
  if (const auto expiry = marks_of(*one.what).expiry) {
    const auto age = age_of(*one.what, world_.wall());
    if (one.expires && age.count() > 0 && age >= *expiry) { // [MQTT-3.3.2-5]
      count(stats_.dropped_expired);
      return false;
    }
    if (age.count() > 0)
      one.age = std::min(age, *expiry); // [MQTT-3.3.2-6]
  }
  const auto& name = one.what->topic.text();
  if (aliases_out_ && name.size() >= alias_topic_bytes_min) {
    const auto choice = aliases_out_->choose(name);
    one.alias = choice.number;
    one.alias_known = choice.number != 0 && !choice.fresh;
  }
  if (world_.send(one) == delivered::sent) {
    count(one.level == qos::at_most_once    ? stats_.sent_qos0
          : one.level == qos::at_least_once ? stats_.sent_qos1
                                            : stats_.sent_qos2);
    return true;
  }
  if (one.alias != 0 && !one.alias_known)
    aliases_out_->forget(name);
  // [MQTT-3.1.2-25]: as if it had been sent.
  count(stats_.dropped_too_large);
  return false;
}

void gate::on_room() {
  if (stage_ != stage::open)
    return;
  pump();
  pump_lasting();
}

void gate::pump() {
  while (stage_ == stage::open && window_ && window_->any_waits() &&
         window_->open() && world_.backlog() <= options_.backlog_bytes_max) {
    const auto next = window_->take_first();
    delivery one{next.what, next.level, next.retain,
                 window_->begin(next.level)};
    one.subscription_ids = next.subscription_ids;
    if (!send(one))
      window_->take_back(one.id);
  }
}

void gate::on_answered(send_window::outcome what) {
  if (what == send_window::outcome::violation)
    return protocol_error("an answer that is not due");
  pump();
}

void gate::on(const puback& what) {
  if (lasting_)
    return on_lasting_answer(lasting_->window.on_puback(what.id));
  if (window_)
    on_answered(window_->on_puback(what.id));
}

void gate::on(const pubrec& what) {
  if (lasting_)
    return on_lasting_pubrec(what);
  auto outcome = send_window::outcome::unknown;
  if (window_)
    outcome = window_->on_pubrec(what.id, is_failure(what.reason));
  if (outcome == send_window::outcome::violation ||
      outcome == send_window::outcome::done)
    return on_answered(outcome);
  if (outcome == send_window::outcome::unknown && is_failure(what.reason))
    return;
  pubrel told;
  told.id = what.id;
  if (outcome == send_window::outcome::unknown && is_5())
    told.reason = reason_code::packet_identifier_not_found;
  world_.send(any_packet{told});
}

void gate::on(const pubcomp& what) {
  if (lasting_) {
    const auto outcome = lasting_->window.on_pubcomp(what.id);
    if (outcome == send_window::outcome::done)
      world_.complete(what.id);
    return on_lasting_answer(outcome);
  }
  if (window_)
    on_answered(window_->on_pubcomp(what.id));
}

} // namespace troupe::net::mqtt
