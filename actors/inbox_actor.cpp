// SPDX-License-Identifier: Apache-2.0
#include "actors/inbox_actor.hpp"

#include "actors/runtime/pinned.hpp"
#include "core/inbox_machine.hpp"
#include "core/json_text.hpp"
#include "core/name_path.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
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
  return "realms/" + core::encode_path_segment(owner_.realm) +
         (is_of_session() ? "/sessions/" : "/inboxes/") +
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
  self_->delayed_send(self_,
                      is_of_session() ? context_->options.client_grace
                                      : context_->options.passivate_after,
                      idle_tick{});
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
  if (limit.count() == 0 || is_of_session() ||
      std::exchange(seen_tick_pending_, true))
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

/// Passivated, or not the one that delivers any more: in a cluster there is
/// another one, or will be.
void inbox_state::retire_now() {
  for (auto& [offset, device] : devices_) {
    report_seen(offset, device.cursor.acknowledged);
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
      .member(is_of_session() ? "session" : "user",
              std::string_view{owner_.name})
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
