// SPDX-License-Identifier: Apache-2.0
#include "schema/stored_sessions.hpp"

#include "core/assert.hpp"
#include "schema/state_key.hpp"
#include "schema/stored_record.hpp"

#include <string>
#include <utility>

namespace troupe::schema {
namespace {

state_key name_key(key_kind kind, const core::owner& name) {
  TROUPE_ASSERT(name.kind == core::owner_kind::session, "a session's owner");
  return state_key{kind}.name(name.realm).last(name.name);
}

/// The end of a key: realm and name.
core::owner owner_of(state_key_parts parts) {
  auto realm = parts.name();
  TROUPE_ASSERT(realm, "damaged key in the state");
  return {std::move(*realm), core::owner_kind::session,
          std::string{parts.last()}};
}

state_key due_key(const core::session_store::due_session& due) {
  return state_key{key_kind::session_due}
      .time(due.when)
      .name(due.owner.realm)
      .last(due.owner.name);
}

std::string behind(key_kind kind, const std::optional<core::owner>& after) {
  if (!after)
    return {};
  const auto key = name_key(kind, *after);
  TROUPE_ASSERT(key.fits(), "a page continues behind a session");
  return key.successor();
}

} // namespace

std::optional<core::session_record>
stored_sessions::session(const core::owner& name) const {
  return load<core::session_record>(space_, name_key(key_kind::session, name));
}

void stored_sessions::put_session(const core::owner& name,
                                  const core::session_record& record) {
  save(space_, name_key(key_kind::session, name), record);
}

void stored_sessions::erase_session(const core::owner& name) {
  drop(space_, name_key(key_kind::session, name));
}

void stored_sessions::each_session(const std::optional<core::owner>& after,
                                   const session_visitor& visit) const {
  const state_key prefix{key_kind::session};
  space_.scan(prefix.view(), behind(key_kind::session, after),
              [&](std::string_view key, const core::shared_bytes& value) {
                return visit(owner_of(state_key_parts{key}),
                             decoded<core::session_record>(value));
              });
}

core::session_packets stored_sessions::packets(const core::owner& name) const {
  return load<core::session_packets>(space_,
                                     name_key(key_kind::session_packets, name))
      .value_or(core::session_packets{});
}

void stored_sessions::put_packets(const core::owner& name,
                                  const core::session_packets& packets) {
  const auto key = name_key(key_kind::session_packets, name);
  if (packets.empty())
    drop(space_, key);
  else
    save(space_, key, packets);
}

void stored_sessions::put_due(const due_session& due) {
  save(space_, due_key(due), mark_record{});
}

void stored_sessions::erase_due(const due_session& due) {
  drop(space_, due_key(due));
}

std::vector<core::session_store::due_session>
stored_sessions::due_sessions(core::timestamp now, std::size_t limit) const {
  std::vector<due_session> due;
  if (limit == 0)
    return due;
  const state_key prefix{key_kind::session_due};
  space_.scan(prefix.view(), {},
              [&](std::string_view key, const core::shared_bytes&) {
                state_key_parts parts{key};
                const auto when = parts.time();
                TROUPE_ASSERT(when, "damaged key in the state");
                if (*when > now)
                  return false;
                due.push_back({*when, owner_of(parts)});
                return due.size() < limit;
              });
  return due;
}

void stored_sessions::put_pending(const core::owner& name) {
  save(space_, name_key(key_kind::session_pending, name), mark_record{});
}

void stored_sessions::erase_pending(const core::owner& name) {
  drop(space_, name_key(key_kind::session_pending, name));
}

std::vector<core::owner>
stored_sessions::pending_sessions(const std::optional<core::owner>& after,
                                  std::size_t limit) const {
  std::vector<core::owner> pending;
  if (limit == 0)
    return pending;
  const state_key prefix{key_kind::session_pending};
  space_.scan(prefix.view(), behind(key_kind::session_pending, after),
              [&](std::string_view key, const core::shared_bytes&) {
                pending.push_back(owner_of(state_key_parts{key}));
                return pending.size() < limit;
              });
  return pending;
}

std::uint64_t stored_sessions::session_count() const {
  return load_number(space_, number_name::session_count);
}

void stored_sessions::put_session_count(std::uint64_t count) {
  save_number(space_, number_name::session_count, count);
}

core::session_policy stored_sessions::policy_of_sessions() const {
  return load<core::session_policy>(space_, state_key{key_kind::session_policy})
      .value_or(core::session_policy{});
}

void stored_sessions::put_policy_of_sessions(
    const core::session_policy& policy) {
  save(space_, state_key{key_kind::session_policy}, policy);
}

} // namespace troupe::schema
