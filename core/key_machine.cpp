// SPDX-License-Identifier: Apache-2.0
#include "core/key_machine.hpp"

#include "core/message_number.hpp"
#include "core/name_rules.hpp"
#include "core/topic.hpp"

#include <optional>
#include <string>
#include <utility>

namespace troupe::core {
namespace {

error check_name(std::string_view realm, std::string_view text) {
  if (!is_realm(realm))
    return {errc::name_invalid, "realm"};
  if (const auto parsed = topic::parse(text); !parsed)
    return parsed.error();
  return {};
}

/// Code ok if the key has the revision that is asked for.
error check_revision(const std::optional<key_record>& found,
                     const std::optional<std::uint64_t>& expected) {
  if (!expected || *expected == (found ? found->revision() : 0))
    return {};
  return {errc::conflict, "revision"};
}

} // namespace

key_machine::key_machine(key_store& store, key_observer* observer)
    : store_(store), observer_(observer), policy_(store.policy_of_keys()) {}

shard_outcome key_machine::execute(const set_key& c, const shard_context& at) {
  shard_outcome outcome;
  outcome.failure = check_name(c.realm, c.topic);
  if (outcome.failure.code != errc::ok)
    return outcome;
  const auto lying = store_.key(c.realm, c.topic);
  const auto before =
      lying && !lying->is_expired(at.now) ? lying : std::nullopt;
  outcome.present = before.has_value();
  outcome.number = before ? before->revision() : 0;
  outcome.failure = check_revision(before, c.expected);
  if (outcome.failure.code != errc::ok)
    return outcome;

  key_record fresh;
  fresh.source = at.index;
  fresh.changed = at.now;
  fresh.weight = static_cast<std::uint32_t>(weight(c.content) + c.topic.size());
  if (c.time_to_live)
    fresh.expires = message_expiry(at.now, *c.time_to_live);
  auto totals = store_.totals_of_keys();
  const auto bytes_before = totals.bytes;
  if (lying)
    totals.bytes -= lying->weight;
  else
    ++totals.keys;
  totals.bytes += fresh.weight;
  const bool full =
      (!lying && policy_.keys_max != 0 && totals.keys > policy_.keys_max) ||
      (totals.bytes > bytes_before && policy_.bytes_max != 0 &&
       totals.bytes > policy_.bytes_max);
  if (full) {
    outcome.failure = {errc::storage_full, "retained keys"};
    return outcome;
  }
  if (!store_.put_key(c.realm, c.topic, fresh)) {
    outcome.failure = {errc::name_invalid, "topic"};
    return outcome;
  }
  if (lying) {
    store_.erase_value(lying->source);
    if (lying->expires)
      store_.erase_key_expiry(*lying->expires, lying->source);
  }
  store_.put_value(at.index, at.raw);
  if (fresh.expires)
    store_.put_key_expiry({*fresh.expires, at.index, c.realm, c.topic});
  store_.put_totals_of_keys(totals);
  outcome.number = fresh.revision();
  if (observer_ != nullptr)
    observer_->on_key_set(c.realm, c.topic, fresh, c.content);
  return outcome;
}

shard_outcome key_machine::execute(const clear_key& c,
                                   const shard_context& at) {
  shard_outcome outcome;
  outcome.failure = check_name(c.realm, c.topic);
  if (outcome.failure.code != errc::ok)
    return outcome;
  const auto lying = store_.key(c.realm, c.topic);
  const auto before =
      lying && !lying->is_expired(at.now) ? lying : std::nullopt;
  outcome.present = before.has_value();
  outcome.failure = check_revision(before, c.expected);
  if (outcome.failure.code != errc::ok) {
    outcome.number = before ? before->revision() : 0;
    return outcome;
  }
  if (lying)
    remove(c.realm, c.topic, *lying);
  outcome.number = at.index.value();
  return outcome;
}

shard_outcome key_machine::execute(const set_key_policy& c,
                                   const shard_context&) {
  policy_ = c.policy;
  store_.put_policy_of_keys(policy_);
  return {};
}

bool key_machine::sweep(timestamp now, std::uint32_t limit) {
  const auto due = store_.expired_keys(now, limit);
  for (const auto& x : due) {
    const auto record = store_.key(x.realm, x.topic);
    if (record && record->source == x.source)
      remove(x.realm, x.topic, *record);
    else
      store_.erase_key_expiry(x.when, x.source);
  }
  return due.size() == limit;
}

void key_machine::remove(std::string_view realm, std::string_view topic,
                         const key_record& record) {
  store_.erase_key(realm, topic);
  store_.erase_value(record.source);
  if (record.expires)
    store_.erase_key_expiry(*record.expires, record.source);
  auto totals = store_.totals_of_keys();
  --totals.keys;
  totals.bytes -= record.weight;
  store_.put_totals_of_keys(totals);
  if (observer_ != nullptr)
    observer_->on_key_gone(realm, topic);
}

} // namespace troupe::core
