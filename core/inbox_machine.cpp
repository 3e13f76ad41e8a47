// SPDX-License-Identifier: Apache-2.0
#include "core/inbox_machine.hpp"

#include "core/message_number.hpp"

#include <algorithm>
#include <utility>

namespace troupe::core {
namespace {

cursor* find(inbox_head& head, device_offset device) {
  auto at = std::find_if(head.cursors.begin(), head.cursors.end(),
                         [&](const cursor& c) { return c.device == device; });
  return at == head.cursors.end() ? nullptr : &*at;
}

} // namespace

message_id make_message_id(timestamp accepted, group_id group, log_index index,
                           std::uint16_t ordinal) noexcept {
  return {to_millis(accepted), message_number(group, index, ordinal)};
}

inbox_machine::inbox_machine(group_id group, inbox_store& store,
                             inbox_observer* observer)
    : group_(group), store_(store), observer_(observer),
      policy_(store.policy()) {}

// ------------------------------------------------------------------ append

shard_outcome inbox_machine::execute(const append_message& c,
                                     const shard_context& at) {
  shard_outcome outcome;
  if (!c.deduplication_key.empty()) {
    // The record may outlive the window until it is swept.
    const auto before = store_.deduplicated(c.deduplication_key);
    if (before &&
        from_millis(before->millis) + policy_.deduplication_window > at.now) {
      outcome.failure.code = errc::duplicate;
      outcome.id = before;
      return outcome;
    }
  }
  outcome.id = make_message_id(at.now, group_, at.index, 0);
  if (c.to.empty())
    return outcome;
  // The body is there before the first entry: making room may remove an entry
  // of this very command again.
  store_.put_body(at.index, at.raw, static_cast<std::uint32_t>(c.to.size()));
  // What all share is 0; a message for single devices alone takes it itself, so
  // that who posts to one device learns the id which that one sees.
  std::uint16_t next_ordinal =
      std::all_of(c.to.begin(), c.to.end(),
                  [](const inbox_recipient& to) { return to.single; })
          ? 0
          : 1;
  bool any = false;
  dropped_ = 0;
  recipient_place place;
  for (const auto& to : c.to) {
    place.ordinal = to.single ? next_ordinal++ : 0;
    bool appended = false;
    auto failure = append_one(c, to, place, at, appended);
    ++place.index;
    any = any || appended;
    if (!appended)
      store_.release_body(at.index);
    if (failure.code != errc::ok)
      outcome.failures.push_back(std::move(failure));
  }
  outcome.dropped = dropped_;
  if (!c.deduplication_key.empty() && any)
    store_.put_deduplicated(c.deduplication_key, *outcome.id,
                            at.now + policy_.deduplication_window);
  return outcome;
}

error inbox_machine::append_one(const append_message& c,
                                const inbox_recipient& to,
                                recipient_place place, const shard_context& at,
                                bool& appended) {
  const bool for_session = to.kind == owner_kind::session;
  const owner inbox{c.message.realm, to.kind, to.name};
  auto head = store_.head(inbox);
  if (!head) {
    if (to.own_copy)
      return {};
    return {errc::user_unknown, to.name};
  }
  inbox_entry entry;
  entry.position = next(head->last);
  entry.source = at.index;
  entry.ordinal = place.ordinal;
  entry.recipient = for_session ? place.index : 0;
  entry.single = to.single;
  entry.except = to.except;
  entry.weight = static_cast<std::uint32_t>(weight(c.message));
  if (c.time_to_live)
    entry.expires = message_expiry(at.now, *c.time_to_live);
  else if (policy_.default_time_to_live.count() > 0)
    entry.expires = message_expiry(at.now, policy_.default_time_to_live);

  // How long a session is kept is in its record.
  if (!to.own_copy && !for_session && suspended(*head, at.now))
    return {errc::user_inactive, to.name};
  if (!needed(*head, entry, at.now))
    return {}; // the only device is the one that posted it
  if (auto full = make_room(inbox, *head, entry.weight, at.now);
      full.code != errc::ok) {
    store_.put_head(inbox, *head); // making room may have trimmed
    return full;
  }

  head->last = entry.position;
  ++head->count;
  head->bytes += entry.weight;
  head->singles += entry.single ? 1 : 0;
  store_.put_entry(head->number, entry);
  if (entry.expires)
    store_.put_expiry(*entry.expires, head->number, entry.position, inbox);
  store_.put_head(inbox, *head);
  appended = true;
  if (observer_ != nullptr && observer_->observes(inbox)) {
    auto copy = std::make_shared<message>(c.message);
    address(*copy, to);
    copy->id = make_message_id(at.now, group_, at.index, place.ordinal);
    copy->created = at.now;
    copy->expires = entry.expires;
    observer_->on_appended(inbox, entry, std::move(copy));
  }
  return {};
}

inbox_machine::room inbox_machine::room_in(const owner& inbox,
                                           const inbox_head& head,
                                           std::uint64_t weight) const {
  const bool is_session = inbox.kind == owner_kind::session;
  const auto messages_max =
      is_session ? of_sessions_.messages_max : policy_.messages_max;
  const auto bytes_max =
      is_session ? of_sessions_.bytes_max : policy_.bytes_max;
  if ((messages_max == 0 || head.count + 1 <= messages_max) &&
      (bytes_max == 0 || head.bytes + weight <= bytes_max))
    return room::enough;
  const bool refuse = is_session ? !of_sessions_.drop_oldest
                                 : policy_.overflow == overflow_policy::refuse;
  return refuse || (bytes_max != 0 && weight > bytes_max) ? room::refused
                                                          : room::drops_oldest;
}

error inbox_machine::make_room(const owner& inbox, inbox_head& head,
                               std::uint32_t weight, timestamp now) {
  if (room_in(inbox, head, weight) == room::enough)
    return {};
  trim(head, now);
  if (room_in(inbox, head, weight) == room::refused)
    return {errc::inbox_full, inbox.name};
  while (room_in(inbox, head, weight) == room::drops_oldest &&
         head.first <= head.last) {
    if (auto oldest = store_.entry(head.number, head.first)) {
      note_loss(head, *oldest);
      remove_entry(head, *oldest);
      ++dropped_;
      if (observer_ != nullptr)
        observer_->on_removed(inbox, oldest->position);
    }
    ++head.first;
  }
  return {};
}

// ------------------------------------------------------------------ cursors

shard_outcome inbox_machine::execute(const move_cursors& c,
                                     const shard_context& at) {
  for (const auto& update : c.updates)
    move_one(update, at.now);
  return {};
}

bool inbox_machine::move_one(const cursor_update& update, timestamp now) {
  auto head = store_.head(update.inbox);
  if (!head)
    return false;
  auto* device = find(*head, update.device);
  if (device == nullptr)
    return false;
  device->seen = std::max(device->seen, now);
  const auto up_to = std::min(update.up_to, head->last);
  if (up_to > device->acknowledged) {
    forget_singles(update.inbox, *head, *device, up_to);
    device->acknowledged = up_to;
    std::erase_if(device->inheritance,
                  [&](const auto& i) { return i.until <= up_to; });
    trim(*head, now);
  }
  store_.put_head(update.inbox, *head);
  return true;
}

/// A device can't get past a single-device entry that is still there without
/// having been the one that received it (the inbox actor's claim), so what it
/// acknowledges is done for all.
void inbox_machine::forget_singles(const owner& inbox, inbox_head& head,
                                   cursor& device, inbox_position up_to) {
  if (head.singles == 0)
    return;
  std::vector<inbox_entry> done;
  store_.each_entry(head.number, next(device.acknowledged),
                    [&](const inbox_entry& e) {
                      if (e.position > up_to)
                        return false;
                      if (e.single && wants(device, e))
                        done.push_back(e);
                      return true;
                    });
  for (const auto& e : done) {
    remove_entry(head, e);
    if (observer_ != nullptr)
      observer_->on_removed(inbox, e.position);
  }
}

shard_outcome inbox_machine::execute(const add_cursor& c,
                                     const shard_context& at) {
  auto head = store_.head(c.inbox);
  if (!head) {
    head.emplace();
    head->number = store_.next_inbox_number();
    store_.put_next_inbox_number(head->number + 1);
    store_.put_inbox_count(store_.inbox_count() + 1);
  }
  if (find(*head, c.device) != nullptr)
    return {};
  cursor fresh;
  fresh.device = c.device;
  fresh.seen = at.now;
  fresh.acknowledged = previous(head->first);
  if (c.inherit) {
    if (const auto* ancestor = find(*head, *c.inherit)) {
      fresh.acknowledged = ancestor->acknowledged;
      fresh.inheritance = ancestor->inheritance;
      fresh.inheritance.push_back({*c.inherit, head->last});
      std::erase_if(fresh.inheritance, [&](const auto& i) {
        return i.until <= fresh.acknowledged;
      });
    }
  }
  auto place =
      std::find_if(head->cursors.begin(), head->cursors.end(),
                   [&](const cursor& x) { return x.device > c.device; });
  head->cursors.insert(place, std::move(fresh));
  store_.put_head(c.inbox, *head);
  if (observer_ != nullptr)
    observer_->on_devices_changed(c.inbox, *head);
  return {};
}

shard_outcome inbox_machine::execute(const remove_cursor& c,
                                     const shard_context& at) {
  auto head = store_.head(c.inbox);
  if (!head)
    return {.failure = {errc::user_unknown, c.inbox.name}};
  if (std::erase_if(head->cursors,
                    [&](const cursor& x) { return x.device == c.device; }) == 0)
    return {.failure = {errc::device_unknown, {}}};
  trim(*head, at.now);
  store_.put_head(c.inbox, *head);
  if (observer_ != nullptr)
    observer_->on_devices_changed(c.inbox, *head);
  return {};
}

shard_outcome inbox_machine::execute(const drop_inbox& c,
                                     const shard_context&) {
  auto head = store_.head(c.inbox);
  if (!head)
    return {.failure = {errc::user_unknown, c.inbox.name}};
  std::vector<inbox_entry> all;
  store_.each_entry(head->number, head->first, [&](const inbox_entry& e) {
    all.push_back(e);
    return true;
  });
  for (const auto& e : all)
    remove_entry(*head, e);
  store_.erase_head(c.inbox);
  store_.put_inbox_count(store_.inbox_count() - 1);
  if (observer_ != nullptr)
    observer_->on_inbox_dropped(c.inbox);
  return {};
}

shard_outcome inbox_machine::execute(const import_inboxes& c,
                                     const shard_context& at) {
  for (const auto& one : c.cursors)
    (void)execute(one, at);
  return {};
}

// ------------------------------------------------------------------- policy

shard_outcome inbox_machine::execute(const set_inbox_policy& c,
                                     const shard_context&) {
  policy_ = c.policy;
  store_.put_policy(policy_);
  return {};
}

shard_outcome inbox_machine::execute(const sweep_expired& c,
                                     const shard_context& at) {
  const auto due = store_.expired(at.now, c.limit);
  for (const auto& x : due) {
    auto head = store_.head(x.owner);
    auto entry = store_.entry(x.inbox, x.position);
    if (!head || head->number != x.inbox || !entry) {
      store_.erase_expiry(x.when, x.inbox, x.position);
      continue;
    }
    note_loss(*head, *entry);
    remove_entry(*head, *entry);
    trim(*head, at.now);
    store_.put_head(x.owner, *head);
    if (observer_ != nullptr)
      observer_->on_removed(x.owner, x.position);
  }
  const auto keys = store_.erase_deduplicated(at.now, c.limit);
  return {.more = due.size() == c.limit || keys == c.limit};
}

// --------------------------------------------------------------- the rules

bool inbox_machine::wants(const cursor& device, const inbox_entry& entry) {
  if (entry.position <= device.acknowledged)
    return false;
  if (!entry.except)
    return true;
  if (*entry.except == device.device)
    return false;
  return std::none_of(device.inheritance.begin(), device.inheritance.end(),
                      [&](const cursor::inherited& i) {
                        return i.ancestor == *entry.except &&
                               entry.position <= i.until;
                      });
}

bool inbox_machine::needed(const inbox_head& head, const inbox_entry& entry,
                           timestamp now) const {
  return std::any_of(head.cursors.begin(), head.cursors.end(),
                     [&](const cursor& c) {
                       return wants(c, entry) && !inactive(head, c, now);
                     });
}

/// A device not seen for too long holds nothing back any more, unless it is
/// the user's most recent one: that one keeps the queue until the user is
/// suspended.
bool inbox_machine::inactive(const inbox_head& head, const cursor& device,
                             timestamp now) const {
  if (policy_.device_inactive_after.count() == 0 ||
      device.seen + policy_.device_inactive_after >= now)
    return false;
  return std::any_of(
      head.cursors.begin(), head.cursors.end(), [&](const cursor& other) {
        return other.seen > device.seen ||
               (other.seen == device.seen && other.device < device.device);
      });
}

bool inbox_machine::suspended(const inbox_head& head, timestamp now) const {
  if (policy_.user_inactive_after.count() == 0 || head.cursors.empty())
    return false;
  const auto limit =
      policy_.device_inactive_after + policy_.user_inactive_after;
  return std::all_of(head.cursors.begin(), head.cursors.end(),
                     [&](const cursor& c) { return c.seen + limit < now; });
}

/// A device that comes back must be able to see that it missed something, even
/// if nothing waited for it any more.
void inbox_machine::note_loss(inbox_head& head, const inbox_entry& entry) {
  if (std::any_of(head.cursors.begin(), head.cursors.end(),
                  [&](const cursor& c) { return wants(c, entry); }))
    head.lost = std::max(head.lost, entry.position);
}

void inbox_machine::remove_entry(inbox_head& head, const inbox_entry& entry) {
  store_.erase_entry(head.number, entry.position);
  if (entry.expires)
    store_.erase_expiry(*entry.expires, head.number, entry.position);
  store_.release_body(entry.source);
  --head.count;
  head.bytes -= entry.weight;
  head.singles -= entry.single ? 1 : 0;
}

void inbox_machine::trim(inbox_head& head, timestamp now) {
  while (head.first <= head.last) {
    if (head.count == 0) {
      head.first = next(head.last);
      return;
    }
    if (auto oldest = store_.entry(head.number, head.first)) {
      if (needed(head, *oldest, now))
        return;
      note_loss(head, *oldest); // to devices that count as inactive
      remove_entry(head, *oldest);
    }
    ++head.first;
  }
}

} // namespace troupe::core
