// SPDX-License-Identifier: Apache-2.0
#include "actors/inbox_actor.hpp"

#include "actors/runtime/pinned.hpp"
#include "core/inbox_machine.hpp"
#include "core/json_text.hpp"
#include "core/name_path.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::actors {
namespace {

constexpr std::uint32_t fetch_count = 64;

} // namespace

std::size_t inbox_state::attached_device::ahead() const {
  return std::max<std::size_t>(16, std::size_t{2} * window);
}

bool inbox_state::attached_device::has_room() const {
  return ready.size() + sent.size() < ahead() &&
         ready_bytes + sent_bytes < ahead_bytes_max;
}

inbox_state::inbox_state(pointer ptr) : self_(ptr) {}

std::string inbox_state::path() const {
  return "realms/" + core::encode_path_segment(owner_.realm) + "/inboxes/" +
         core::encode_path_segment(owner_.name);
}

void inbox_state::start(inbox_deps deps) {
  context_ = deps.context;
  shard_ = std::move(deps.shard);
  owner_ = std::move(deps.owner);
  accession_ = deps.accession;
  context_->stats.inbox_actors.fetch_add(1, std::memory_order_relaxed);
  self_->attach_functor([stats = &context_->stats] {
    stats->inbox_actors.fetch_sub(1, std::memory_order_relaxed);
  });
  // A session that ended without a word frees its device.
  self_->set_down_handler([this](const caf::down_msg& down) {
    for (auto& [offset, device] : devices_)
      if (device.session.address() == down.source)
        return remove({offset, device.id});
  });
  schedule_grace_tick();
}

// ----------------------------------------------------------- coming, going

void inbox_state::attach(attach_request& request) {
  ++attaches_seen_;
  last_ = std::max(last_, request.head.last);
  device_count_ = static_cast<std::uint32_t>(request.head.cursors.size());
  if (const auto at = devices_.find(request.device); at != devices_.end()) {
    if (at->second.who != request.who)
      return answer(request, core::errc::device_busy,
                    core::resume_outcome::not_asked, {});
    // The same session: it has lost the way to its earlier attachment.
    replace(request.device, request);
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
  // Also tells the tables that the device was seen.
  report(request.device, placed.cursor.acknowledged);
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
  report(request.device, at->second.cursor.acknowledged); // seen until now
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

// --------------------------------------------------------------- deliveries

void inbox_state::acknowledge(const delivery_acknowledged& ack) {
  auto at = devices_.find(ack.device);
  if (at == devices_.end() || at->second.id != ack.attachment)
    return;
  auto& device = at->second;
  if (device.coming_back()) // it can't have been sent anything else
    device.told = std::max(device.told, std::min(ack.up_to, device.in_hand));
  else
    acknowledge_up_to(ack.device, device, ack.up_to);
}

void inbox_state::acknowledge_up_to(core::device_offset offset,
                                    attached_device& device,
                                    core::inbox_position up_to) {
  std::uint64_t count = 0;
  while (!device.sent.empty() && device.sent.front().position <= up_to) {
    const auto& done = device.sent.front();
    if (done.single)
      if (auto held = claims_.find(done.position); held != claims_.end())
        held->second.acknowledged = true;
    device.sent_bytes -= done.weight;
    device.cursor.acknowledged = done.position;
    device.sent.pop_front();
    ++count;
  }
  if (count == 0)
    return; // nothing it had been sent
  context_->stats.acknowledged.fetch_add(count, std::memory_order_relaxed);
  report(offset, device.cursor.acknowledged);
  feed(offset, device);
}

void inbox_state::report(core::device_offset device,
                         core::inbox_position up_to) {
  auto& here = acknowledged_[device];
  here = std::max(here, up_to);
  self_->send(shard_, cursor_moves{{{owner_, device, up_to}}});
}

void inbox_state::on_changes(inbox_changes& changes) {
  for (auto& item : changes.appended) {
    last_ = std::max(last_, item.entry.position);
    for (auto& [offset, device] : devices_)
      // Who is behind, or slow, reads it from the tables when it gets there.
      if (device.next == item.entry.position && !device.fetching &&
          device.has_room()) {
        device.next = core::next(item.entry.position);
        take(device, item);
      }
  }
  for (auto position : changes.removed)
    forget(position);
  if (changes.devices) {
    device_count_ = static_cast<std::uint32_t>(changes.devices->cursors.size());
    tell_device_count();
  }
  if (changes.dropped) {
    for (auto& [offset, device] : devices_)
      self_->send(device.session,
                  session_stop{{core::errc::user_unknown, owner_.name}});
    return self_->quit();
  }
  feed_all();
}

void inbox_state::tell_device_count() {
  for (auto& [offset, device] : devices_)
    self_->send(device.session, devices_changed{device_count_});
}

/// The entry is gone from the tables: nobody else gets it.
void inbox_state::forget(core::inbox_position position) {
  claims_.erase(position);
  for (auto& [offset, device] : devices_) {
    auto at = std::find_if(
        device.ready.begin(), device.ready.end(),
        [&](const stored_delivery& d) { return d.entry.position == position; });
    if (at == device.ready.end())
      continue;
    device.ready_bytes -= at->entry.weight;
    device.ready.erase(at);
  }
}

void inbox_state::take(attached_device& device, stored_delivery item) {
  if (!core::inbox_machine::wants(device.cursor, item.entry))
    return;
  device.ready_bytes += item.entry.weight;
  device.ready.push_back(std::move(item));
}

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

void inbox_state::on_fetched(fetched_entries& found) {
  auto at = devices_.find(found.device);
  if (at == devices_.end() || !at->second.fetching ||
      at->second.next != found.from)
    return; // asked by an earlier session of this device
  auto& device = at->second;
  const bool came_back = device.coming_back();
  device.fetching = false;
  device.next = found.next;
  for (auto& item : found.items)
    if (item.entry.position <= device.in_hand)
      take_in_hand(found.device, device, item);
    else
      take(device, std::move(item));
  feed(found.device, device);
  for (const auto fence : std::exchange(device.fences, {}))
    self_->send(device.session, fence_passed{fence});
  if (!came_back || device.coming_back())
    return;
  acknowledge_up_to(found.device, device, device.told);
  feed_all(); // others have waited for its claims
}

bool inbox_state::may_send(core::device_offset offset, attached_device& device,
                           const stored_delivery& item) {
  if (device.sent.size() >= device.ahead())
    return false;
  if (!device.sent.empty() &&
      device.sent_bytes + item.entry.weight > ahead_bytes_max)
    return false;
  if (!item.entry.single)
    return true;
  // For one device only: not before it is really its turn, and only if no
  // other device has it.
  if (device.sent.size() >= device.window)
    return false;
  return may_claim(offset, item.entry);
}

bool inbox_state::may_claim(core::device_offset offset,
                            const core::inbox_entry& entry) {
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

void inbox_state::feed(core::device_offset offset, attached_device& device) {
  deliveries batch;
  while (!device.ready.empty()) {
    auto& item = device.ready.front();
    if (item.entry.expires && *item.entry.expires <= context_->clock.wall()) {
      context_->stats.messages_expired.fetch_add(1, std::memory_order_relaxed);
      device.ready_bytes -= item.entry.weight;
      device.ready.pop_front();
      continue;
    }
    if (!may_send(offset, device, item))
      break;
    device.sent.push_back(
        {item.entry.position, item.entry.weight, item.entry.single});
    device.sent_bytes += item.entry.weight;
    device.ready_bytes -= item.entry.weight;
    batch.items.push_back({item.entry.position, std::move(item.message)});
    device.ready.pop_front();
  }
  if (!batch.items.empty()) {
    context_->stats.deliveries.fetch_add(batch.items.size(),
                                         std::memory_order_relaxed);
    self_->send(device.session, std::move(batch));
  }
  fetch_more(offset, device);
}

void inbox_state::fetch_more(core::device_offset offset,
                             attached_device& device) {
  if (device.fetching || device.next > last_)
    return;
  if (!device.coming_back() &&
      (!device.ready.empty() || device.sent.size() * 2 > device.ahead() ||
       device.sent_bytes > ahead_bytes_max / 2))
    return;
  device.fetching = true;
  fetch_entries ask;
  ask.inbox = inbox_actor{self_};
  ask.owner = owner_;
  ask.device = offset;
  ask.from = device.next;
  ask.count_max = std::min<std::uint32_t>(
      1024, std::max<std::uint32_t>(
                fetch_count, static_cast<std::uint32_t>(device.ahead())));
  ask.bytes_max = ahead_bytes_max;
  self_->send(shard_, std::move(ask));
}

void inbox_state::feed_all() {
  for (auto& [offset, device] : devices_)
    feed(offset, device);
}

// --------------------------------------------------------------------- idle

void inbox_state::schedule_idle_tick() {
  if (std::exchange(idle_tick_pending_, true))
    return;
  self_->delayed_send(self_, context_->options.passivate_after, idle_tick{});
}

void inbox_state::on_idle_tick() {
  idle_tick_pending_ = false;
  if (devices_.empty())
    self_->send(shard_, passivate_inbox{owner_, attaches_seen_});
}

/// Who is connected and silent must not count as gone: by half of the time
/// after which a device is inactive it is reported again.
void inbox_state::schedule_seen_tick() {
  const auto limit = context_->options.inbox.device_inactive_after;
  if (limit.count() == 0 || std::exchange(seen_tick_pending_, true))
    return;
  self_->delayed_send(self_, std::max(limit / 2, core::milliseconds{1}),
                      seen_tick{});
}

void inbox_state::on_seen_tick() {
  seen_tick_pending_ = false;
  if (devices_.empty())
    return;
  cursor_moves seen;
  for (const auto& [offset, device] : devices_)
    seen.updates.push_back({owner_, offset, device.cursor.acknowledged});
  self_->send(shard_, std::move(seen));
  schedule_seen_tick();
}

void inbox_state::on_grace_tick() {
  grace_tick_pending_ = false;
  feed_all();
  schedule_grace_tick();
}

/// For the next moment at which something that was kept is free.
void inbox_state::schedule_grace_tick() {
  if (grace_tick_pending_)
    return;
  const auto now = context_->clock.now();
  std::optional<core::steady_time> next;
  if (accession_.grace_ends > now)
    next = accession_.grace_ends;
  for (const auto& [position, held] : claims_)
    if (held.kept_until && *held.kept_until > now)
      next = std::min(next.value_or(*held.kept_until), *held.kept_until);
  if (!next)
    return;
  grace_tick_pending_ = true;
  self_->delayed_send(self_,
                      std::chrono::ceil<core::milliseconds>(*next - now) +
                          core::milliseconds{1},
                      grace_tick{});
}

/// Passivated, or not the one that delivers any more: in a cluster there is
/// another one, or will be.
void inbox_state::retire_now() {
  for (auto& [offset, device] : devices_) {
    report(offset, device.cursor.acknowledged);
    if (context_->options.clustered)
      self_->send(device.session, inbox_released{});
    else
      self_->send(device.session,
                  session_stop{{core::errc::shutting_down, {}}});
  }
  self_->quit();
}

std::string inbox_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "inbox")
      .member("realm", std::string_view{owner_.realm})
      .member("user", std::string_view{owner_.name})
      .member("last", last_.value())
      .member("claims", std::uint64_t{claims_.size()});
  runtime::describe_actor(out, *self_);
  out.key("attached").begin_array();
  for (const auto& [offset, device] : devices_)
    out.begin_object()
        .member("offset", static_cast<std::uint64_t>(offset.value()))
        .member("node", std::uint64_t{device.who.node.value()})
        .member("session", device.who.number)
        .member("window", device.window)
        .member("acknowledged", device.cursor.acknowledged.value())
        .member("in_flight", std::uint64_t{device.sent.size()})
        .member("in_flight_bytes", std::uint64_t{device.sent_bytes})
        .member("ready", std::uint64_t{device.ready.size()})
        .end_object();
  out.end_array().end_object();
  return std::move(out).text();
}

live_inbox inbox_state::show() const {
  live_inbox view;
  view.json = describe();
  for (const auto& [offset, device] : devices_)
    view.attached.push_back(offset);
  return view;
}

inbox_actor::behavior_type inbox_behavior(inbox_state::pointer self,
                                          inbox_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      [&st](attach_request& m) { st.attach(m); },
      [&st](const detach& m) { st.remove(m); },
      [&st](const delivery_acknowledged& m) { st.acknowledge(m); },
      [&st](const inbox_fence& m) { st.pass(m); },
      [&st](inbox_changes& m) { st.on_changes(m); },
      [&st](fetched_entries& m) { st.on_fetched(m); },
      [&st](const idle_tick&) { st.on_idle_tick(); },
      [&st](const seen_tick&) { st.on_seen_tick(); },
      [&st](const grace_tick&) { st.on_grace_tick(); },
      [&st](const retire&) { st.retire_now(); },
      [&st](const inspect_live&) { return st.show(); },
      [&st](const inspect&) { return st.describe(); },
  };
}

} // namespace troupe::actors
