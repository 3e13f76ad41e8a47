// SPDX-License-Identifier: Apache-2.0
// Sessions that come, come back and go, and what is theirs meanwhile.
#include "actors/inbox_actor.hpp"
#include "core/inbox_machine.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::actors {
namespace {

/// Until it is looked again whether this node still leads: a beat or so.
constexpr core::milliseconds lease_patience{50};

} // namespace

// ----------------------------------------------------------- coming, going

void inbox_state::attach(attach_request& request) {
  ++attaches_seen_;
  last_ = std::max(last_, request.head.last);
  device_count_ = static_cast<std::uint32_t>(request.head.cursors.size());
  if (const auto at = devices_.find(request.device); at != devices_.end()) {
    if (at->second.who == request.who)
      // The same session: it has lost the way to its earlier attachment.
      replace(request.device, request);
    else if (!is_of_session())
      return answer(request, core::errc::device_busy,
                    core::resume_outcome::not_asked, {});
    else if (request.returns) // it was elsewhere when it was taken over
      return answer(request, core::errc::not_logged_in,
                    core::resume_outcome::not_asked, {});
    else
      take_over(request.device);
  }
  auto known = std::find_if(
      request.head.cursors.begin(), request.head.cursors.end(),
      [&](const core::cursor& c) { return c.device == request.device; });
  if (known == request.head.cursors.end())
    return answer(request, core::errc::device_unknown,
                  core::resume_outcome::not_asked, {});
  attached_device device;
  device.id = request.attachment;
  device.who = request.who;
  device.session = request.session;
  device.window = std::max<std::uint32_t>(1, request.window);
  device.cursor = *known;
  if (const auto here = acknowledged_.find(request.device);
      here != acknowledged_.end())
    device.cursor.acknowledged =
        std::max(device.cursor.acknowledged, here->second);
  core::inbox_position from = device.cursor.acknowledged;
  auto outcome = core::resume_outcome::not_asked;
  if (request.returns) {
    come_back(request, device, known->acknowledged);
  } else {
    outcome = resume(request, device.cursor, from);
    device.next = core::next(device.cursor.acknowledged);
  }
  self_->monitor(device.session);
  auto& placed =
      devices_.emplace(request.device, std::move(device)).first->second;
  answer(request, core::errc::ok, outcome, from);
  report_seen(request.device, placed.cursor.acknowledged);
  schedule_seen_tick();
  feed(request.device, placed);
}

/// A session goes on here as it stood with the inbox before.
void inbox_state::come_back(const attach_request& request,
                            attached_device& device,
                            core::inbox_position in_tables) const {
  const auto& has = *request.returns;
  device.in_hand = std::min(has.in_hand, last_);
  auto& acknowledged = device.cursor.acknowledged;
  acknowledged =
      std::max(acknowledged, std::min(has.acknowledged, device.in_hand));
  device.told = acknowledged;
  // What the tables do not know of yet may have to be kept from others.
  device.next =
      core::next(device.in_hand > in_tables ? in_tables : acknowledged);
}

/// Not as in remove(): nobody else may have the device, or what it has.
void inbox_state::replace(core::device_offset offset,
                          const attach_request& by) {
  auto& old = devices_.at(offset);
  self_->demonitor(old.session.address());
  if (old.session != by.session)
    self_->send(old.session, inbox_released{});
  release(offset, old, by.returns.has_value());
  devices_.erase(offset);
}

/// The connection before of a client's session.
void inbox_state::take_over(core::device_offset offset) {
  auto& old = devices_.at(offset);
  self_->demonitor(old.session.address());
  self_->send(old.session, session_stop{{core::errc::conflict, "taken over"}});
  devices_.erase(offset);
  context_->stats.clients_taken_over.fetch_add(1, std::memory_order_relaxed);
}

/// Also tells the tables that the device was there until now. A session's
/// record knows better.
void inbox_state::report_seen(core::device_offset device,
                              core::inbox_position up_to) {
  if (!is_of_session())
    report(device, up_to);
}

/// Where a returning client goes on. `from` becomes its position; the cursor
/// copy is set back if it asks for what it has acknowledged before.
core::resume_outcome inbox_state::resume(const attach_request& request,
                                         core::cursor& cursor,
                                         core::inbox_position& from) {
  if (!request.resume_from)
    return core::resume_outcome::not_asked;
  const auto asked = *request.resume_from;
  const auto& head = request.head;
  if (asked > head.last)
    return core::resume_outcome::gap; // not a position of this inbox
  if (asked < cursor.acknowledged)
    return core::resume_outcome::gap; // what it acknowledged is gone
  cursor.acknowledged = from = asked;
  return head.lost <= asked ? core::resume_outcome::recovered
                            : core::resume_outcome::gap;
}

void inbox_state::answer(const attach_request& request, core::errc code,
                         core::resume_outcome resume,
                         core::inbox_position from) {
  attached reply;
  reply.ticket = request.ticket;
  reply.failure.code = code;
  reply.device = request.device;
  reply.resume = resume;
  reply.acknowledged = from;
  reply.devices = device_count_;
  if (code == core::errc::ok)
    reply.inbox = inbox_actor{self_};
  self_->send(request.session, std::move(reply));
  if (devices_.empty())
    schedule_idle_tick();
}

void inbox_state::remove(const detach& request) {
  auto at = devices_.find(request.device);
  if (at == devices_.end() || at->second.id != request.attachment)
    return;
  report_seen(request.device, at->second.cursor.acknowledged);
  self_->demonitor(at->second.session.address());
  release(request.device, at->second, request.lost);
  devices_.erase(at);
  feed_all(); // a claim may have become free
  if (devices_.empty())
    schedule_idle_tick();
}

void inbox_state::release(core::device_offset offset, attached_device& device,
                          bool lost) {
  const bool keep = lost && context_->options.claim_grace.count() > 0;
  for (const auto& entry : device.sent) {
    auto held = claims_.find(entry.position);
    if (held == claims_.end() || held->second.device != offset ||
        held->second.acknowledged)
      continue;
    if (!keep) {
      claims_.erase(held);
      continue;
    }
    held->second.kept_until =
        context_->clock.now() + context_->options.claim_grace;
    context_->stats.claims_kept.fetch_add(1, std::memory_order_relaxed);
  }
  if (keep)
    schedule_grace_tick();
}

/// What the shard had told this actor before the fence has been passed on, and
/// for a session that has just come, what the tables had then.
void inbox_state::pass(const inbox_fence& fence) {
  for (auto& [offset, device] : devices_)
    if (device.fetching && device.session == fence.session) {
      device.fences.push_back(fence.ticket);
      return;
    }
  self_->send(fence.session, fence_passed{fence.ticket});
}

// ------------------------------------------------------------------- claims

/// One that the session brought along: sent and claimed by the leader before.
void inbox_state::take_in_hand(core::device_offset offset,
                               attached_device& device,
                               const stored_delivery& item) {
  auto before = device.cursor;
  before.acknowledged = {};
  if (!core::inbox_machine::wants(before, item.entry))
    return;
  const bool done = item.entry.position <= device.told;
  if (item.entry.single) {
    auto& held =
        claims_.try_emplace(item.entry.position, claim{offset, done, {}})
            .first->second;
    if (held.device == offset || held.kept_until)
      held = {offset, done || held.acknowledged, {}};
    else
      held.acknowledged = held.acknowledged || done; // both have it
  }
  if (done)
    return;
  device.sent.push_back(
      {item.entry.position, item.entry.weight, item.entry.single});
  device.sent_bytes += item.entry.weight;
}

bool inbox_state::may_claim(core::device_offset offset,
                            const core::inbox_entry& entry) {
  if (!context_->surely_leads(context_->group_of(owner_))) {
    asks_again_at_ = context_->clock.now() + lease_patience;
    schedule_grace_tick();
    return false;
  }
  // One that has come back may have it: known when it has been looked up.
  for (const auto& [other, device] : devices_)
    if (device.coming_back() && entry.position <= device.in_hand)
      return false;
  if (const auto held = claims_.find(entry.position); held != claims_.end()) {
    const auto& [device, acknowledged, kept_until] = held->second;
    const bool free = kept_until && (device == offset ||
                                     *kept_until <= context_->clock.now());
    if (free && !acknowledged)
      held->second = {offset, false, {}};
    return free && !acknowledged;
  }
  if (entry.source <= accession_.index &&
      context_->clock.now() < accession_.grace_ends)
    return false;
  claims_.emplace(entry.position, claim{offset, false, {}});
  return true;
}

void inbox_state::on_grace_tick() {
  if (!grace_tick_at_ || context_->clock.now() < *grace_tick_at_)
    return; // an earlier one has done it
  grace_tick_at_.reset();
  asks_again_at_.reset();
  feed_all();
  schedule_grace_tick();
}

/// For the next moment at which something that was kept is free.
void inbox_state::schedule_grace_tick() {
  const auto now = context_->clock.now();
  auto next = asks_again_at_;
  const auto consider = [&](core::steady_time when) {
    if (when > now)
      next = std::min(next.value_or(when), when);
  };
  consider(accession_.grace_ends);
  for (const auto& [position, held] : claims_)
    if (held.kept_until)
      consider(*held.kept_until);
  if (!next || (grace_tick_at_ && *grace_tick_at_ <= *next))
    return;
  grace_tick_at_ = *next;
  self_->delayed_send(self_,
                      std::chrono::ceil<core::milliseconds>(*next - now) +
                          core::milliseconds{1},
                      grace_tick{});
}

} // namespace troupe::actors
