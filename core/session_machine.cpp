// SPDX-License-Identifier: Apache-2.0
#include "core/session_machine.hpp"

#include "core/message_number.hpp"
#include "core/name_rules.hpp"
#include "core/topic.hpp"

#include <algorithm>
#include <utility>

namespace troupe::core {
namespace {

/// When the will of a session without a connection is due.
std::optional<timestamp> will_time(const session_record& record) {
  if (!record.closed || !record.will || record.will_due)
    return std::nullopt;
  auto when = message_expiry(*record.closed, record.will->delay);
  if (const auto end = end_of(record))
    when = std::min(when, *end);
  return when;
}

/// The connection before ends with the command (it is taken over) or has ended,
/// and its will has not been published: it is due if it may not wait (MQTT 5,
/// 3.1.3.2.2), and the session goes on without it if it may.
bool outlived_by_will(const session_record& record) {
  return record.will && (record.will_due || record.will->delay.count() == 0);
}

/// When a sweep has something to do.
std::optional<timestamp> due_time(const session_record& record) {
  if (record.expired)
    return std::nullopt;
  const auto end = end_of(record);
  const auto will = will_time(record);
  return will ? will : end; // a will is never due later
}

error check(const open_session& c) {
  if (!is_realm(c.realm))
    return {errc::name_invalid, "realm"};
  if (!is_name(c.name))
    return {errc::name_invalid, "session"};
  if (c.receive_max == 0)
    return {errc::malformed, "receive maximum"};
  if (c.protocol.size() > session_protocol_bytes_max)
    return {errc::too_large, "protocol"};
  if (!c.will)
    return {};
  if (weight(c.will->content) + c.will->topic.size() > session_will_bytes_max)
    return {errc::too_large, "will"};
  if (const auto parsed = topic::parse(c.will->topic); !parsed)
    return parsed.error();
  return {};
}

/// `items` must not make a command too long for the others.
template <class Items>
error check_items(const Items& items) {
  if (items.size() > session_items_max)
    return {errc::too_many, "sessions"};
  return {};
}

} // namespace

std::optional<timestamp> end_of(const session_record& record) {
  if (!record.closed || !record.expiry)
    return std::nullopt;
  return message_expiry(*record.closed, *record.expiry);
}

session_machine::session_machine(group_id group, session_store& store,
                                 inbox_machine& inboxes,
                                 session_observer* observer)
    : group_(group), store_(store), inboxes_(inboxes), observer_(observer),
      policy_(store.policy_of_sessions()) {
  inboxes_.bound_sessions(policy_);
}

// ------------------------------------------------------- begin and end

shard_outcome session_machine::execute(const open_session& c,
                                       const shard_context& at) {
  shard_outcome outcome;
  outcome.failure = check(c);
  if (outcome.failure.code != errc::ok)
    return outcome;
  const owner name{c.realm, owner_kind::session, c.name};
  auto before = store_.session(name);
  if (before) {
    const auto end = end_of(*before);
    const bool over = before->expired || (end && *end <= at.now);
    if (!over && before->uid != c.uid) {
      outcome.failure = {errc::not_permitted, c.name};
      return outcome;
    }
    if (over || c.clean_start) {
      drop(name, *before, at);
      outcome.replaced = true;
      before.reset();
    } else if (observer_ != nullptr && outlived_by_will(*before)) {
      observer_->on_will_replaced(name, *before);
    }
  }
  const auto count = store_.session_count();
  if (!before && policy_.sessions_max != 0 && count >= policy_.sessions_max) {
    outcome.failure = {errc::storage_full, "sessions"};
    return outcome;
  }

  session_record record;
  if (before) {
    record = *before;
    outcome.present = true;
    outcome.awaiting = store_.packets(name).awaiting;
  } else {
    record.generation = at.index.value();
    record.created = at.now;
    record.uid = c.uid;
    store_.put_session_count(count + 1);
    (void)inboxes_.execute(add_cursor{name, session_device, {}}, at);
  }
  record.epoch = at.index.value();
  record.protocol = c.protocol;
  record.expiry = c.expiry;
  record.receive_max = c.receive_max;
  outcome.closed = record.closed.value_or(at.now);
  record.closed.reset();
  record.will = c.will;
  record.will_due = false;
  put(name, before ? &*before : nullptr, record);
  outcome.number = record.epoch;
  outcome.generation = record.generation;
  return outcome;
}

shard_outcome session_machine::execute(const set_session_expiry& c,
                                       const shard_context&) {
  std::optional<session_record> before;
  if (auto failure = find(c.session, before); failure.code != errc::ok)
    return {.failure = std::move(failure)};
  auto record = *before;
  record.expiry = c.expiry;
  put(owner_of(c.session), &*before, record);
  return {};
}

shard_outcome session_machine::execute(const close_session_record& c,
                                       const shard_context& at) {
  std::optional<session_record> before;
  if (auto failure = find(c.session, before); failure.code != errc::ok)
    return {.failure = std::move(failure)};
  auto record = *before;
  // Said twice, the first time counts.
  if (!record.closed)
    record.closed = std::min(c.when.value_or(at.now), at.now);
  if (c.drop_will) {
    record.will.reset();
    record.will_due = false;
  }
  put(owner_of(c.session), &*before, record);
  return {};
}

shard_outcome session_machine::execute(const drop_will& c,
                                       const shard_context&) {
  const auto name = owner_of(c.session);
  const auto before = store_.session(name);
  if (!before || !before->will)
    return {.failure = {errc::not_found, c.session.name}};
  if (c.session.epoch != 0 && c.session.epoch != before->epoch)
    return {.failure = {errc::not_logged_in, c.session.name}};
  auto record = *before;
  record.will.reset();
  record.will_due = false;
  put(name, &*before, record);
  return {};
}

shard_outcome session_machine::execute(const drop_session& c,
                                       const shard_context& at) {
  const auto name = owner_of(c.session);
  const auto record = store_.session(name);
  if (!record)
    return {.failure = {errc::not_found, c.session.name}};
  if (c.session.epoch != 0 && c.session.epoch != record->epoch)
    return {.failure = {errc::not_logged_in, c.session.name}};
  if (c.only_expired && (!record->expired || record->will))
    return {.failure = {errc::conflict, c.session.name}};
  drop(name, *record, at);
  return {};
}

shard_outcome session_machine::execute(const set_session_policy& c,
                                       const shard_context&) {
  policy_ = c.policy;
  inboxes_.bound_sessions(policy_);
  store_.put_policy_of_sessions(policy_);
  return {};
}

bool session_machine::sweep(const shard_context& at, std::uint32_t limit) {
  const auto due = store_.due_sessions(at.now, limit);
  std::uint64_t work = 0;
  for (const auto& x : due) {
    const auto before = store_.session(x.owner);
    if (!before || due_time(*before) != x.when) {
      store_.erase_due(x);
      continue;
    }
    // An inbox is dropped whole; the next one can wait for the next sweep.
    if (work >= limit)
      return true;
    ++work;
    auto record = *before;
    record.will_due = record.will.has_value();
    if (const auto end = end_of(record); end && *end <= at.now) {
      record.expired = true;
      if (const auto messages = inboxes_.count(x.owner)) {
        work += *messages;
        (void)inboxes_.execute(drop_inbox{x.owner}, at);
      }
      store_.put_packets(x.owner, {});
    }
    put(x.owner, &*before, record);
    if (observer_ != nullptr && record.is_pending())
      observer_->on_session_pending(x.owner, record);
  }
  return due.size() == limit;
}

// ----------------------------------------------------------- packet ids

receipt session_machine::receive(const receive_item& item,
                                 std::uint64_t number) {
  if (item.packet == 0)
    return {errc::malformed, 0, false};
  std::optional<session_record> record;
  if (const auto failure = find(item.session, record); failure.code != errc::ok)
    return {failure.code, 0, false};
  const auto name = owner_of(item.session);
  auto packets = store_.packets(name);
  const auto place = std::lower_bound(
      packets.received.begin(), packets.received.end(), item.packet,
      [](const auto& r, std::uint16_t packet) { return r.packet < packet; });
  if (place != packets.received.end() && place->packet == item.packet)
    return {errc::ok, place->number, true};
  if (packets.received.size() >= record->receive_max)
    return {errc::too_many, 0, false};
  packets.received.insert(place, {item.packet, number});
  store_.put_packets(name, packets);
  return {errc::ok, number, false};
}

shard_outcome session_machine::execute(const begin_receive& c,
                                       const shard_context& at) {
  shard_outcome outcome;
  outcome.failure = check_items(c.items);
  if (outcome.failure.code != errc::ok)
    return outcome;
  outcome.receipts.reserve(c.items.size());
  std::uint16_t ordinal = 0;
  for (const auto& item : c.items)
    outcome.receipts.push_back(
        receive(item, message_number(group_, at.index, ordinal++)));
  return outcome;
}

/// `change` is called for each session that is there and still that
/// connection's.
template <class Items, class Change>
shard_outcome session_machine::for_each(const Items& items,
                                        const Change& change) {
  shard_outcome outcome;
  outcome.failure = check_items(items);
  if (outcome.failure.code != errc::ok)
    return outcome;
  for (const auto& item : items) {
    std::optional<session_record> record;
    if (auto failure = find(item.session, record); failure.code == errc::ok)
      change(item, owner_of(item.session));
    else
      outcome.failures.push_back(std::move(failure));
  }
  return outcome;
}

shard_outcome session_machine::execute(const end_receive& c,
                                       const shard_context&) {
  return for_each(c.items, [&](const auto& item, const owner& name) {
    auto packets = store_.packets(name);
    for (const auto packet : item.packets)
      std::erase_if(packets.received,
                    [&](const auto& r) { return r.packet == packet; });
    store_.put_packets(name, packets);
  });
}

shard_outcome session_machine::execute(const delivered& c,
                                       const shard_context& at) {
  return for_each(c.items, [&](const auto& item, const owner& name) {
    (void)inboxes_.execute(move_cursors{{{name, session_device, item.up_to}}},
                           at);
    if (item.awaiting.empty())
      return;
    // There are no more than packet ids, each of them once.
    auto packets = store_.packets(name);
    for (const auto packet : item.awaiting)
      if (packet != 0 &&
          std::find(packets.awaiting.begin(), packets.awaiting.end(), packet) ==
              packets.awaiting.end())
        packets.awaiting.push_back(packet);
    store_.put_packets(name, packets);
  });
}

shard_outcome session_machine::execute(const completed& c,
                                       const shard_context&) {
  return for_each(c.items, [&](const auto& item, const owner& name) {
    auto packets = store_.packets(name);
    for (const auto packet : item.packets)
      std::erase(packets.awaiting, packet);
    store_.put_packets(name, packets);
  });
}

// --------------------------------------------------------------- records

error session_machine::find(const session_ref& ref,
                            std::optional<session_record>& found) {
  found = store_.session(owner_of(ref));
  if (!found || found->expired)
    return {errc::not_found, ref.name};
  if (ref.epoch != 0 && ref.epoch != found->epoch)
    return {errc::not_logged_in, ref.name};
  return {};
}

void session_machine::put(const owner& name, const session_record* before,
                          const session_record& record) {
  const auto due_before = before != nullptr ? due_time(*before) : std::nullopt;
  const auto due = due_time(record);
  if (due_before != due) {
    if (due_before)
      store_.erase_due({*due_before, name});
    if (due)
      store_.put_due({*due, name});
  }
  const bool pending_before = before != nullptr && before->is_pending();
  if (record.is_pending() && !pending_before)
    store_.put_pending(name);
  else if (!record.is_pending() && pending_before)
    store_.erase_pending(name);
  store_.put_session(name, record);
}

void session_machine::drop(const owner& name, const session_record& record,
                           const shard_context& at) {
  if (const auto due = due_time(record))
    store_.erase_due({*due, name});
  if (record.is_pending())
    store_.erase_pending(name);
  (void)inboxes_.execute(drop_inbox{name}, at); // an expired one has none
  store_.put_packets(name, {});
  store_.erase_session(name);
  store_.put_session_count(store_.session_count() - 1);
  if (observer_ != nullptr)
    observer_->on_session_dropped(name, record);
}

} // namespace troupe::core
