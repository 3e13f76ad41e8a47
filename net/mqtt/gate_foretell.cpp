// SPDX-License-Identifier: Apache-2.0
// What would become of a publication at this client, by the rules by which it
// is sent.
#include "net/mqtt/crossing.hpp"
#include "net/mqtt/gate_parts.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net::mqtt {
namespace {

std::string_view text_of(lot what) {
  switch (what) {
  case lot::goes:
    return "";
  case lot::waits:
    return "its window is full";
  case lot::too_slow:
    return "too much waits unsent for it, and the message has QoS 0";
  case lot::queue_full:
    return "as many messages wait for it as may";
  case lot::ends_it:
    return "as many messages wait for it as may: its session ends";
  }
  return "";
}

} // namespace

bool gate::foretell(const core::publication_ptr& what,
                    const core::topic_filter& filter, std::string_view share,
                    core::listener_fate& to) const {
  if (stage_ != stage::open)
    return false;
  wanted by;
  if (!share.empty()) {
    const auto found = shares_.find(share_key(filter, share));
    if (found == shares_.end())
      return false;
    by = wanted_by(found->second);
  } else {
    // Once for all subscriptions that overlap, as when it is sent.
    std::vector<std::string> heard;
    for (const auto& each : subscriptions_.all())
      if (each.heard.matches(what->topic))
        heard.push_back(each.heard.text());
    std::sort(heard.begin(), heard.end());
    heard.erase(std::unique(heard.begin(), heard.end()), heard.end());
    if (heard.empty() || heard.front() != filter.text())
      return false;
    to.filters = std::move(heard);
    subscriptions_.match(*what, world_.is_own(*what), by);
  }
  const auto marks = marks_of(*what);
  to.qos = static_cast<std::uint8_t>(std::min(by.level, marks.level));
  to.retain = marks.retain && by.retain_as_published;
  if (!by.any) {
    to.what = core::fate::dropped;
    to.why = "no local: it is the client's own";
  } else if (lasting_ && by.level != qos::at_most_once &&
             comes_by_inbox(*what, by)) {
    to.what = core::fate::inbox;
    to.why = "it comes by the inbox of its session";
  } else if (lasting_ && to.qos > 0) {
    to.what = core::fate::queued;
    to.why = "its subscription is newer than the routes of the publisher's "
             "node";
  } else {
    foretell_sending(what, by, to);
  }
  return true;
}

/// By way of its connection.
void gate::foretell_sending(const core::publication_ptr& what, const wanted& by,
                            core::listener_fate& to) const {
  delivery message{what, static_cast<qos>(to.qos), to.retain};
  message.subscription_ids = by.ids;
  if (message.level != qos::at_most_once)
    message.id = packet_id{1};
  const auto& name = what->topic.text();
  if (aliases_out_ && name.size() >= alias_topic_bytes_min) {
    const auto choice = aliases_out_->peek(name);
    message.alias = choice.number;
    message.alias_known = choice.number != 0 && !choice.fresh;
  }
  const auto becomes = lot_of(*what, message.level);
  to.why = text_of(becomes);
  switch (becomes) {
  case lot::goes:
    if (!world_.fits(message)) {
      to.what = core::fate::dropped;
      to.why = "larger than the client's maximum packet size";
      return;
    }
    to.what = core::fate::given;
    break;
  case lot::waits:
    to.what = core::fate::waits;
    break;
  case lot::too_slow:
  case lot::queue_full:
  case lot::ends_it:
    to.what = core::fate::dropped;
    return;
  }
  if (to.qos < static_cast<std::uint8_t>(marks_of(*what).level))
    to.why += (to.why.empty() ? "" : "; ") + std::string{"with QoS "} +
              std::to_string(to.qos) + ", as it is subscribed";
}

} // namespace troupe::net::mqtt
