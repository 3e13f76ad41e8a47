// SPDX-License-Identifier: Apache-2.0
#include "actors/live_inboxes.hpp"

#include "actors/runtime/pinned.hpp"
#include "core/shard_key.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

std::size_t
live_inboxes::owner_hash::operator()(const core::owner& o) const noexcept {
  return core::stable_hash(o);
}

// ------------------------------------------------------------------- actors

void live_inboxes::pass_on(attach_request& request,
                           const core::inbox_head& head,
                           const accession& since) {
  auto& place = slots_[request.inbox];
  if (!place.actor)
    place.actor = runtime::spawn_pinned<inbox_actor, inbox_state>(
        shard_->home_system(), runtime::home_of(*shard_), inbox_behavior,
        inbox_deps{&context_, shard_actor{shard_}, request.inbox, since});
  ++place.attaches;
  request.head = head;
  shard_->send(place.actor, std::move(request));
}

bool live_inboxes::passivate(const passivate_inbox& request) {
  auto* at = find_slot(request.inbox);
  if (at == nullptr || at->attaches != request.attaches_seen)
    return false;
  shard_->send(at->actor, retire{});
  slots_.erase(request.inbox);
  return true;
}

inbox_actor live_inboxes::find(const core::owner& inbox) const {
  const auto at = slots_.find(inbox);
  return at == slots_.end() ? inbox_actor{} : at->second.actor;
}

void live_inboxes::release() {
  for (auto& [inbox, place] : slots_)
    shard_->send(place.actor, retire{});
  slots_.clear();
  dirty_slots_.clear();
  moves_.clear();
}

std::size_t live_inboxes::retire_all() {
  retired_ = true;
  for (auto& [inbox, place] : slots_) {
    shard_->monitor(place.actor);
    shard_->send(place.actor, retire{});
  }
  dirty_slots_.clear();
  return std::exchange(slots_, {}).size();
}

// ------------------------------------------------------------------- cursors

void live_inboxes::gather(cursor_moves& moves) {
  for (auto& m : moves.updates) {
    // The last words of an inbox that was dropped; a retiring shard waits for
    // those of all its inboxes.
    if (!retired_ && find_slot(m.inbox) == nullptr)
      continue;
    auto& up_to = moves_[{std::move(m.inbox), m.device}];
    up_to = std::max(up_to, m.up_to);
  }
}

bool live_inboxes::offer_moves(
    const std::function<bool(core::move_cursors)>& take) {
  while (!moves_.empty()) {
    core::move_cursors command;
    auto last = moves_.begin();
    for (std::size_t n = 0; n < moves_per_command && last != moves_.end();
         ++n, ++last)
      command.updates.push_back(
          {last->first.first, last->first.second, last->second});
    if (!take(std::move(command)))
      return false;
    moves_.erase(moves_.begin(), last);
  }
  return true;
}

// ------------------------------------------------------------------- changes

void live_inboxes::send_changes() {
  for (const auto& inbox : std::exchange(dirty_slots_, {})) {
    auto* at = find_slot(inbox);
    if (at == nullptr)
      continue;
    at->dirty = false;
    const bool gone = at->changes.dropped;
    shard_->send(at->actor, std::exchange(at->changes, {}));
    if (gone)
      slots_.erase(inbox);
  }
}

live_inboxes::slot* live_inboxes::find_slot(const core::owner& inbox) {
  auto at = slots_.find(inbox);
  return at == slots_.end() ? nullptr : &at->second;
}

live_inboxes::slot& live_inboxes::changed_slot(const core::owner& inbox) {
  auto& at = *find_slot(inbox);
  if (!std::exchange(at.dirty, true))
    dirty_slots_.push_back(inbox);
  return at;
}

bool live_inboxes::observes(const core::owner& inbox) {
  return find_slot(inbox) != nullptr;
}

void live_inboxes::on_appended(const core::owner& inbox,
                               const core::inbox_entry& entry,
                               core::message_ptr message) {
  changed_slot(inbox).changes.appended.push_back({entry, std::move(message)});
}

void live_inboxes::on_removed(const core::owner& inbox,
                              core::inbox_position position) {
  if (observes(inbox))
    changed_slot(inbox).changes.removed.push_back(position);
}

void live_inboxes::on_devices_changed(const core::owner& inbox,
                                      const core::inbox_head& head) {
  if (observes(inbox))
    changed_slot(inbox).changes.devices = head;
}

void live_inboxes::on_inbox_dropped(const core::owner& inbox) {
  if (observes(inbox))
    changed_slot(inbox).changes.dropped = true;
  // Moves that wait are not for an inbox that takes its place.
  std::erase_if(moves_, [&](const auto& m) { return m.first.first == inbox; });
}

} // namespace troupe::actors
