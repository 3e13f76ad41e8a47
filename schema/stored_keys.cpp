// SPDX-License-Identifier: Apache-2.0
#include "schema/stored_keys.hpp"

#include "core/assert.hpp"
#include "schema/state_key.hpp"
#include "schema/stored_record.hpp"

#include <string>

namespace troupe::schema {
namespace {

/// Longer topics are kept under these first bytes and a hash. No topic's text
/// has a 0x00 in it, so that the one never looks like the other.
constexpr std::size_t plain_topic_bytes_max = 300;

state_key topic_key(std::string_view realm, std::string_view topic) {
  auto key = state_key{key_kind::retained_key}.name(realm);
  if (topic.size() <= plain_topic_bytes_max)
    return key.last(topic);
  return key.last(topic.substr(0, plain_topic_bytes_max))
      .byte(0)
      .number(hash_of_name(topic));
}

/// What stands behind the realm, of a key of topic_key().
std::string topic_of(std::string_view key_end,
                     const retained_key_record& record) {
  return record.topic.empty() ? std::string{key_end} : record.topic;
}

state_key expiry_key(core::timestamp when, core::log_index source) {
  return state_key{key_kind::key_expiry}.time(when).number(source.value());
}
/// As the bodies of messages: a log entry brings either.
state_key value_key(core::log_index source) {
  return state_key{key_kind::body}.number(source.value());
}

} // namespace

std::optional<core::key_record> stored_keys::key(std::string_view realm,
                                                 std::string_view topic) const {
  const auto found = load<retained_key_record>(space_, topic_key(realm, topic));
  if (!found || (!found->topic.empty() && found->topic != topic))
    return std::nullopt;
  return found->key;
}

bool stored_keys::put_key(std::string_view realm, std::string_view topic,
                          const core::key_record& record) {
  const auto place = topic_key(realm, topic);
  retained_key_record stored{record, {}};
  if (topic.size() > plain_topic_bytes_max) {
    const auto there = load<retained_key_record>(space_, place);
    if (there && there->topic != topic)
      return false;
    stored.topic = topic;
  }
  save(space_, place, stored);
  return true;
}

void stored_keys::erase_key(std::string_view realm, std::string_view topic) {
  if (key(realm, topic))
    drop(space_, topic_key(realm, topic));
}

void stored_keys::each_key(std::string_view realm, std::string_view beginning,
                           const std::optional<std::string>& after,
                           const key_visitor& visit) const {
  const auto whole = state_key{key_kind::retained_key}.name(realm);
  auto prefix = whole;
  prefix.last(beginning.substr(0, plain_topic_bytes_max));
  if (!prefix.fits())
    return;
  const auto before = whole.view().size();
  space_.scan(prefix.view(),
              after ? topic_key(realm, *after).successor() : std::string{},
              [&](std::string_view key, const core::shared_bytes& value) {
                const auto record = decoded<retained_key_record>(value);
                return visit(topic_of(key.substr(before), record), record.key);
              });
}

void stored_keys::put_value(core::log_index source,
                            const core::shared_bytes& command) {
  space_.put(value_key(source).view(), command);
}

std::optional<core::shared_bytes>
stored_keys::value(core::log_index source) const {
  return space_.get(value_key(source).view());
}

void stored_keys::erase_value(core::log_index source) {
  drop(space_, value_key(source));
}

void stored_keys::put_key_expiry(const key_expiry& expiry) {
  save(space_, expiry_key(expiry.when, expiry.source),
       key_place_record{expiry.realm, expiry.topic});
}

void stored_keys::erase_key_expiry(core::timestamp when,
                                   core::log_index source) {
  drop(space_, expiry_key(when, source));
}

std::vector<core::key_store::key_expiry>
stored_keys::expired_keys(core::timestamp now, std::size_t limit) const {
  std::vector<key_expiry> due;
  if (limit == 0)
    return due;
  const state_key prefix{key_kind::key_expiry};
  space_.scan(prefix.view(), {},
              [&](std::string_view key, const core::shared_bytes& value) {
                state_key_parts parts{key};
                const auto when = parts.time();
                const auto source = parts.number();
                TROUPE_ASSERT(when && source, "damaged key in the state");
                if (*when >= now)
                  return false;
                const auto place = decoded<key_place_record>(value);
                due.push_back({*when, core::log_index{*source}, place.realm,
                               place.topic});
                return due.size() < limit;
              });
  return due;
}

core::key_totals stored_keys::totals_of_keys() const {
  return {load_number(space_, number_name::key_count),
          load_number(space_, number_name::key_bytes)};
}

void stored_keys::put_totals_of_keys(const core::key_totals& totals) {
  save_number(space_, number_name::key_count, totals.keys);
  save_number(space_, number_name::key_bytes, totals.bytes);
}

core::key_policy stored_keys::policy_of_keys() const {
  return load<core::key_policy>(space_, state_key{key_kind::key_policy})
      .value_or(core::key_policy{});
}

void stored_keys::put_policy_of_keys(const core::key_policy& policy) {
  save(space_, state_key{key_kind::key_policy}, policy);
}

} // namespace troupe::schema
