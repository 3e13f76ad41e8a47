// SPDX-License-Identifier: Apache-2.0
#include "schema/stored_inboxes.hpp"

#include "core/assert.hpp"
#include "schema/state_key.hpp"
#include "schema/stored_record.hpp"

#include <utility>

namespace troupe::schema {
namespace {

state_key head_key(const core::owner& inbox) {
  return state_key{key_kind::inbox_head}
      .name(inbox.realm)
      .byte(static_cast<std::uint8_t>(inbox.kind))
      .last(inbox.name);
}
core::owner owner_of(std::string_view head_key) {
  state_key_parts parts{head_key};
  auto realm = parts.name();
  const auto kind = parts.byte();
  TROUPE_ASSERT(realm && kind, "damaged key in the state");
  return {std::move(*realm), static_cast<core::owner_kind>(*kind),
          std::string{parts.last()}};
}

state_key entry_key(std::uint64_t inbox, core::inbox_position position) {
  return state_key{key_kind::inbox_entry}.number(inbox).number(
      position.value());
}
state_key body_key(core::log_index source) {
  return state_key{key_kind::body}.number(source.value());
}
state_key references_key(core::log_index source) {
  return state_key{key_kind::body_references}.number(source.value());
}
state_key expiry_key(core::timestamp when, std::uint64_t inbox,
                     core::inbox_position position) {
  return state_key{key_kind::expiry}.time(when).number(inbox).number(
      position.value());
}

// --------------------------------------------------------- deduplication

/// Longer deduplication keys are kept under a hash, and whole in the value.
constexpr std::size_t plain_key_bytes_max = 400;

/// The part of a record key that stands for a deduplication key: 0 and the
/// key itself, or 1 and its hash. Two keys of one hash displace each other:
/// only the window of the older one is lost.
void add_client_key(state_key& to, std::string_view key) {
  if (key.size() <= plain_key_bytes_max)
    to.byte(0).last(key);
  else
    to.byte(1).number(hash_of_name(key));
}
state_key deduplicated_key(std::string_view key) {
  state_key result{key_kind::deduplicated};
  add_client_key(result, key);
  return result;
}
state_key deduplication_end_key(core::timestamp until, std::string_view key) {
  state_key result{key_kind::deduplication_end};
  add_client_key(result.time(until), key);
  return result;
}

} // namespace

// ------------------------------------------------------------------- heads

std::optional<core::inbox_head>
stored_inboxes::head(const core::owner& inbox) const {
  return load<core::inbox_head>(space_, head_key(inbox));
}

void stored_inboxes::put_head(const core::owner& inbox,
                              const core::inbox_head& head) {
  save(space_, head_key(inbox), head);
}

void stored_inboxes::erase_head(const core::owner& inbox) {
  drop(space_, head_key(inbox));
}

void stored_inboxes::each_head(
    const std::optional<core::owner>& after,
    const std::function<bool(const core::owner&, const core::inbox_head&)>&
        visit) const {
  const state_key prefix{key_kind::inbox_head};
  std::string from;
  if (after) {
    const auto key = head_key(*after);
    TROUPE_ASSERT(key.fits(), "a page continues behind an inbox");
    from = key.successor();
  }
  space_.scan(prefix.view(), from,
              [&](std::string_view key, const core::shared_bytes& value) {
                return visit(owner_of(key), decoded<core::inbox_head>(value));
              });
}

// ----------------------------------------------------------------- entries

std::optional<core::inbox_entry>
stored_inboxes::entry(std::uint64_t inbox,
                      core::inbox_position position) const {
  auto entry = load<core::inbox_entry>(space_, entry_key(inbox, position));
  if (entry)
    entry->position = position;
  return entry;
}

void stored_inboxes::put_entry(std::uint64_t inbox,
                               const core::inbox_entry& entry) {
  save(space_, entry_key(inbox, entry.position), entry);
}

void stored_inboxes::erase_entry(std::uint64_t inbox,
                                 core::inbox_position position) {
  drop(space_, entry_key(inbox, position));
}

void stored_inboxes::each_entry(
    std::uint64_t inbox, core::inbox_position from,
    const std::function<bool(const core::inbox_entry&)>& visit) const {
  const auto prefix = state_key{key_kind::inbox_entry}.number(inbox);
  space_.scan(prefix.view(), entry_key(inbox, from).view(),
              [&](std::string_view key, const core::shared_bytes& value) {
                state_key_parts parts{key};
                parts.number();
                const auto position = parts.number();
                TROUPE_ASSERT(position, "damaged key in the state");
                auto entry = decoded<core::inbox_entry>(value);
                entry.position = core::inbox_position{*position};
                return visit(entry);
              });
}

// ------------------------------------------------------------------ bodies

void stored_inboxes::put_body(core::log_index source,
                              const core::shared_bytes& command,
                              std::uint32_t references) {
  TROUPE_ASSERT(references > 0, "a body nobody refers to");
  space_.put(body_key(source).view(), command);
  if (references > 1)
    save(space_, references_key(source), number_record{references});
}

std::optional<core::shared_bytes>
stored_inboxes::body(core::log_index source) const {
  return space_.get(body_key(source).view());
}

void stored_inboxes::release_body(core::log_index source) {
  const auto key = references_key(source);
  const auto references = load<number_record>(space_, key);
  if (!references)
    drop(space_, body_key(source));
  else if (references->value > 2)
    save(space_, key, number_record{references->value - 1});
  else
    drop(space_, key);
}

// ------------------------------------------------------------------ expiry

void stored_inboxes::put_expiry(core::timestamp when, std::uint64_t inbox,
                                core::inbox_position position,
                                const core::owner& owner) {
  save(space_, expiry_key(when, inbox, position), owner);
}

void stored_inboxes::erase_expiry(core::timestamp when, std::uint64_t inbox,
                                  core::inbox_position position) {
  drop(space_, expiry_key(when, inbox, position));
}

std::vector<core::inbox_store::expiry>
stored_inboxes::expired(core::timestamp now, std::size_t limit) const {
  std::vector<expiry> due;
  if (limit == 0)
    return due;
  const state_key prefix{key_kind::expiry};
  space_.scan(prefix.view(), {},
              [&](std::string_view key, const core::shared_bytes& value) {
                state_key_parts parts{key};
                const auto when = parts.time();
                const auto inbox = parts.number();
                const auto position = parts.number();
                TROUPE_ASSERT(when && inbox && position,
                              "damaged key in the state");
                if (*when >= now)
                  return false;
                due.push_back({*when, *inbox, core::inbox_position{*position},
                               decoded<core::owner>(value)});
                return due.size() < limit;
              });
  return due;
}

// ------------------------------------------------- origins, deduplication

std::optional<core::origin_record>
stored_inboxes::origin(std::uint64_t id) const {
  return load<core::origin_record>(space_, origin_key(id));
}

void stored_inboxes::put_origin(std::uint64_t id,
                                const core::origin_record& record) {
  save(space_, origin_key(id), record);
}

void stored_inboxes::erase_origin(std::uint64_t id) {
  drop(space_, origin_key(id));
}

std::vector<std::pair<std::uint64_t, core::origin_record>>
stored_inboxes::origins() const {
  return load_origins(space_);
}

std::optional<core::message_id>
stored_inboxes::deduplicated(std::string_view key) const {
  const auto record = load<deduplicated_record>(space_, deduplicated_key(key));
  if (!record || (key.size() > plain_key_bytes_max && record->key != key))
    return std::nullopt;
  return record->id;
}

void stored_inboxes::put_deduplicated(std::string_view key, core::message_id id,
                                      core::timestamp until) {
  const auto place = deduplicated_key(key);
  if (const auto before = load<deduplicated_record>(space_, place))
    drop(space_, deduplication_end_key(before->until, key));
  deduplicated_record record{id, until, {}};
  if (key.size() > plain_key_bytes_max)
    record.key = key;
  save(space_, place, record);
  save(space_, deduplication_end_key(until, key), mark_record{});
}

std::size_t stored_inboxes::erase_deduplicated(core::timestamp before,
                                               std::size_t limit) {
  // Collected first: a scan does not promise to see what it changes.
  std::vector<std::string> ended;
  const state_key prefix{key_kind::deduplication_end};
  if (limit != 0)
    space_.scan(prefix.view(), {},
                [&](std::string_view key, const core::shared_bytes&) {
                  const auto until = state_key_parts{key}.time();
                  TROUPE_ASSERT(until, "damaged key in the state");
                  if (*until >= before)
                    return false;
                  ended.emplace_back(key);
                  return ended.size() < limit;
                });
  for (const auto& key : ended) {
    state_key_parts parts{key};
    parts.time();
    drop(space_, state_key{key_kind::deduplicated}.last(parts.last()));
    space_.erase(key);
  }
  return ended.size();
}

// ------------------------------------------------------- numbers, policy

std::uint64_t stored_inboxes::next_inbox_number() const {
  return load_number(space_, number_name::next_inbox, 1);
}

void stored_inboxes::put_next_inbox_number(std::uint64_t number) {
  save_number(space_, number_name::next_inbox, number);
}

std::uint64_t stored_inboxes::inbox_count() const {
  return load_number(space_, number_name::inbox_count);
}

void stored_inboxes::put_inbox_count(std::uint64_t count) {
  save_number(space_, number_name::inbox_count, count);
}

core::inbox_policy stored_inboxes::policy() const {
  return load<core::inbox_policy>(space_, state_key{key_kind::policy})
      .value_or(core::inbox_policy{});
}

void stored_inboxes::put_policy(const core::inbox_policy& policy) {
  save(space_, state_key{key_kind::policy}, policy);
}

} // namespace troupe::schema
