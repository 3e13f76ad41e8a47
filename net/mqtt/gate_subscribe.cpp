// SPDX-License-Identifier: Apache-2.0
// What the client wants to hear.
#include "net/mqtt/gate.hpp"
#include "net/mqtt/gate_parts.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace troupe::net::mqtt {
namespace {

reason_code granted(qos level) { return static_cast<reason_code>(level); }

} // namespace

void gate::on(const subscribe& what) {
  suback told;
  told.id = what.id;
  for (const auto& each : what.filters) {
    const auto outcome = grant(each, what.subscription_id.value_or(0));
    if (stage_ != stage::open)
      return; // denied, and that was the end
    told.reasons.push_back(outcome);
  }
  if (lasting_)
    return answer_when_routed(std::move(told), what.filters);
  tell(told);
}

/// MQTT 3.1 has no word for a subscription that can't be had.
void gate::tell(const suback& what) {
  const auto failed =
      std::find_if(what.reasons.begin(), what.reasons.end(), is_failure);
  if (speaking_ == version::v3_1 && failed != what.reasons.end())
    return fail(*failed, "a subscription can't be had");
  world_.send(any_packet{what});
}

reason_code gate::grant(const subscription_request& what, std::uint32_t id) {
  const auto asked = parse_filter(what.filter);
  if (!asked) {
    count(stats_.refused_subscribe);
    return reason_code::topic_filter_invalid;
  }
  if (!asked->share.empty()) {
    return grant_share(what, id, asked->filter, asked->share);
  }
  return grant(what, id, asked->filter);
}

std::string gate::share_key(const core::topic_filter& filter,
                            std::string_view share) {
  return std::string{share} + '/' + filter.text(); // no share has a slash
}

reason_code gate::grant_share(const subscription_request& what,
                              std::uint32_t id,
                              const core::topic_filter& filter,
                              std::string_view share) {
  if (!world_.available().shared) {
    count(stats_.refused_subscribe);
    return reason_code::shared_subscriptions_not_supported;
  }
  // All of it or nothing: who has another filter is in another share.
  if (const auto why = world_.check(core::right::subscribe, filter);
      why != core::deny_reason::none)
    return deny(what, why);
  subscription wanted;
  wanted.filter = wanted.heard = filter;
  wanted.level = what.level;
  wanted.retain_as_published = what.retain_as_published;
  wanted.id = id;
  wanted.share = share;
  wanted.routing = subscription::not_yet;
  const auto key = share_key(filter, share);
  if (const auto known = shares_.find(key); known != shares_.end()) {
    wanted.replace(known->second);
    known->second = std::move(wanted);
    return granted(what.level);
  }
  if (!has_room_to_subscribe())
    return reason_code::quota_exceeded;
  if (const auto begun = world_.listen(filter, share, what.filter); !begun) {
    count(stats_.refused_subscribe);
    return begun.error().code == core::errc::name_invalid
               ? reason_code::topic_filter_invalid
               : reason_code::quota_exceeded;
  }
  shares_.emplace(key, std::move(wanted));
  count(stats_.subscriptions);
  return granted(what.level);
}

bool gate::has_room_to_subscribe() {
  if (subscriptions_.size() + shares_.size() < options_.subscriptions_max)
    return true;
  count(stats_.refused_subscribe);
  return false;
}

void gate::stop_sharing(share_map::iterator which) {
  world_.stop_listening(which->second.heard, which->second.share);
  shares_.erase(which);
  uncount(stats_.subscriptions);
}

/// The filter itself, or as much of it as is permitted: who may have a/* and
/// asks for a/# gets everything below a.
std::optional<core::topic_filter>
gate::permitted(const core::topic_filter& filter, core::deny_reason& why) {
  why = world_.check(core::right::subscribe, filter);
  if (why == core::deny_reason::none)
    return filter;
  const auto& text = filter.text();
  if (why != core::deny_reason::not_granted || !text.ends_with("/#"))
    return std::nullopt;
  auto below = core::topic_filter::parse(text.substr(0, text.size() - 1) + '*');
  if (!below)
    return std::nullopt;
  why = world_.check(core::right::subscribe, *below);
  if (why != core::deny_reason::none)
    return std::nullopt;
  return std::move(*below);
}

reason_code gate::grant(const subscription_request& what, std::uint32_t id,
                        const core::topic_filter& filter) {
  auto* known = subscriptions_.find(filter);
  if (known == nullptr && !has_room_to_subscribe())
    return reason_code::quota_exceeded;
  auto why = core::deny_reason::none;
  auto heard = permitted(filter, why);
  if (!heard)
    return deny(what, why);
  subscription wanted;
  wanted.filter = filter;
  wanted.heard = *heard;
  wanted.level = what.level;
  wanted.no_local = what.no_local;
  wanted.retain_as_published = what.retain_as_published;
  wanted.id = id;
  wanted.routing = subscription::not_yet;
  const bool is_new = known == nullptr;
  if (!is_new && known->heard == *heard) {
    wanted.replace(*known);
    *known = std::move(wanted); // [MQTT-3.8.4-3]
  } else {
    if (const auto begun = world_.listen(*heard, {}, what.filter); !begun) {
      count(stats_.refused_subscribe);
      return begun.error().code == core::errc::name_invalid
                 ? reason_code::topic_filter_invalid
                 : reason_code::quota_exceeded;
    }
    if (!is_new) { // the rights to it have changed
      if (lasting_)
        lasting_->gone.push_back({known->heard.text(), {}});
      stop_hearing(filter);
    }
    subscriptions_.add(std::move(wanted));
    count(stats_.subscriptions);
  }
  if (world_.available().retained &&
      (what.retained == retain_handling::send ||
       (what.retained == retain_handling::send_if_new && is_new)))
    world_.send_retained(*heard, filter);
  return granted(what.level);
}

reason_code gate::deny(const subscription_request& what,
                       core::deny_reason why) {
  count(stats_.refused_subscribe);
  world_.refused(core::audit_kind::join, what.filter, core::to_string(why));
  switch (denied_) {
  case denial_policy::close:
    fail(reason_code::not_authorized, core::to_string(why));
    break;
  case denial_policy::answer:
    if (speaking_ == version::v3_1)
      return granted(what.level); // it knows no other answer
    break;
  case denial_policy::silent:
    return granted(what.level);
  }
  return reason_of(why);
}

/// False: there is no such subscription.
bool gate::forget(const parsed_filter& which,
                  std::vector<core::route_name>& gone) {
  if (!which.share.empty()) {
    const auto at = shares_.find(share_key(which.filter, which.share));
    if (at == shares_.end())
      return false;
    gone.push_back({at->second.heard.text(), at->second.share});
    stop_sharing(at);
    return true;
  }
  const auto* found = subscriptions_.find(which.filter);
  if (found == nullptr)
    return false;
  gone.push_back({found->heard.text(), {}});
  stop_hearing(which.filter);
  return true;
}

void gate::on(const unsubscribe& what) {
  unsuback told;
  told.id = what.id;
  std::vector<core::route_name> gone;
  for (const auto& text : what.filters) {
    const auto asked = parse_filter(text);
    if (!asked) {
      told.reasons.push_back(reason_code::topic_filter_invalid);
    } else if (forget(*asked, gone)) {
      told.reasons.push_back(reason_code::success);
    } else if (denied_ == denial_policy::silent) {
      // As if it had been there, which it was if it had been granted.
      told.reasons.push_back(reason_code::success);
    } else {
      told.reasons.push_back(reason_code::no_subscription_existed);
    }
  }
  if (lasting_)
    return answer_when_routed(std::move(told), std::move(gone));
  world_.send(any_packet{told});
}

void gate::stop_hearing(const core::topic_filter& filter) {
  if (const auto heard = subscriptions_.remove(filter)) {
    world_.stop_listening(*heard, {});
    uncount(stats_.subscriptions);
  }
}

} // namespace troupe::net::mqtt
