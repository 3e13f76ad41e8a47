// SPDX-License-Identifier: Apache-2.0
#include "actors/channels/loop_channels.hpp"

#include "actors/messages.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe::actors::channels {

loop_channels::loop_channels(channel_host& host, core::node_id self,
                             std::size_t loop,
                             std::function<void(core::milliseconds)> wake,
                             reporting how)
    : host_(host), self_(self), loop_(loop), wake_(std::move(wake)), how_(how) {
}

loop_channels::~loop_channels() = default;

channel_tally* loop_channels::open(std::string_view realm,
                                   std::string_view topic) {
  auto actor = host_.open(realm, topic);
  if (!actor)
    return nullptr;
  auto& fresh = all_.emplace_back(*this, std::move(actor));
  fresh.self_ = std::prev(all_.end());
  fresh.report_.loop = loop_;
  note(fresh);
  return &fresh;
}

bool loop_channels::release(channel_tally& of) {
  if (--of.holds_ > 0)
    return false;
  of.report_.ends = true;
  note(of);
  return true;
}

void loop_channels::came(channel_tally& to, const core::listener_about& who) {
  to.report_.restricted = to.report_.restricted || who.restricted;
  if (!who.group)
    to.report_.came.push_back(who);
  note(to);
  if (to.report_.came.size() >= how_.moves_max)
    send(to);
}

void loop_channels::went(channel_tally& from, std::uint64_t session) {
  from.report_.went.push_back(session);
  note(from);
  if (from.report_.went.size() >= how_.moves_max)
    send(from);
}

void loop_channels::handed_on(channel_tally& by, std::size_t listeners) {
  // Unsigned: with count() the sum is right, also for an empty group.
  by.report_.counts.delivered += listeners;
  --by.report_.counts.delivered;
  note(by);
}

void loop_channels::dropped(const core::publication& what, std::size_t loops,
                            bool new_here) {
  auto at = drops_.find({what.realm, what.topic.text()});
  if (at == drops_.end()) {
    if (drops_.size() >= drops_max)
      return;
    at = drops_.try_emplace({what.realm, what.topic.text()}).first;
  }
  at->second.dropped += loops;
  if (new_here) {
    ++(what.node == self_ ? at->second.published : at->second.received);
    at->second.bytes += what.payload.size();
    at->second.last = std::max(at->second.last, what.number);
  }
  wake_in(how_.interval);
}

void loop_channels::note(channel_tally& changed) {
  if (std::exchange(changed.waits_, true))
    return;
  waiting_.push_back(&changed);
  wake_in(how_.interval);
}

void loop_channels::wake_in(core::milliseconds time) {
  if (!std::exchange(woken_, true))
    wake_(time);
}

void loop_channels::send(channel_tally& from) {
  channel_report next;
  next.loop = loop_;
  auto report = std::exchange(from.report_, std::move(next));
  if (!from.actor_)
    return;
  caf::anon_send(from.actor_, std::move(report));
  host_.stats().reports.fetch_add(1, std::memory_order_relaxed);
}

bool loop_channels::hand_over_drops(std::size_t& budget) {
  for (; budget > 0 && !drops_.empty(); --budget) {
    auto first = drops_.extract(drops_.begin());
    channel_report report;
    report.loop = loop_;
    report.counts = first.mapped();
    if (auto actor = host_.find(first.key().first, first.key().second))
      caf::anon_send(actor, std::move(report));
  }
  return drops_.empty();
}

void loop_channels::hand_over() {
  woken_ = false;
  auto budget = how_.reports_max;
  for (; budget > 0 && !waiting_.empty(); --budget) {
    auto& next = *waiting_.front();
    waiting_.pop_front();
    next.waits_ = false;
    const bool ends = next.report_.ends;
    send(next);
    if (ends)
      all_.erase(next.self_);
  }
  if (!hand_over_drops(budget) || !waiting_.empty())
    wake_in(how_.pause);
}

void loop_channels::drop() {
  waiting_.clear();
  drops_.clear();
  for (auto each = all_.begin(); each != all_.end();) {
    each->actor_ = channel_actor{};
    each->waits_ = false;
    each = each->holds_ == 0 ? all_.erase(each) : std::next(each);
  }
}

} // namespace troupe::actors::channels
