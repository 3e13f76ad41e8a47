// SPDX-License-Identifier: Apache-2.0
//
// The part of stored_directory that is about routes.
#include "core/assert.hpp"
#include "schema/state_key.hpp"
#include "schema/stored_directory.hpp"
#include "schema/stored_record.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace troupe::schema {
namespace {

/// Share name and filter together; longer ones are kept under a hash, and
/// whole in the value.
constexpr std::size_t plain_route_bytes_max = 200;

bool is_plain(const core::route_name& name) {
  return name.filter.size() + name.share.size() <= plain_route_bytes_max;
}

state_key routes_key(std::string_view realm, std::string_view session) {
  return state_key{key_kind::session_routes}.name(realm).last(session);
}

state_key route_key(std::string_view realm, std::string_view session,
                    const core::route_name& name) {
  auto key = state_key{key_kind::route}.name(realm).name(session);
  if (is_plain(name))
    return key.byte(0).name(name.share).last(name.filter);
  // No share name has a 0x00 in it.
  return key.byte(1).number(hash_of_name(name.share + '\0' + name.filter));
}

/// The route under a key, from behind realm and session on.
core::route route_of(state_key_parts key, const core::shared_bytes& value) {
  auto found = decoded<core::route>(value);
  const auto how = key.byte();
  TROUPE_ASSERT(how, "damaged key in the state");
  if (*how != 0)
    return found;
  auto share = key.name();
  TROUPE_ASSERT(share, "damaged key in the state");
  found.name = {std::string{key.last()}, std::move(*share)};
  return found;
}

} // namespace

std::optional<core::session_routes>
stored_directory::routes_of(std::string_view realm,
                            std::string_view session) const {
  return load<core::session_routes>(space_, routes_key(realm, session));
}

void stored_directory::put_routes_of(std::string_view realm,
                                     std::string_view session,
                                     const core::session_routes& record) {
  save(space_, routes_key(realm, session), record);
}

void stored_directory::erase_routes_of(std::string_view realm,
                                       std::string_view session) {
  drop(space_, routes_key(realm, session));
}

std::optional<core::route_options>
stored_directory::find_route(std::string_view realm, std::string_view session,
                             const core::route_name& name) const {
  const auto found = load<core::route>(space_, route_key(realm, session, name));
  if (!found || (!is_plain(name) && found->name != name))
    return std::nullopt;
  return found->options;
}

bool stored_directory::put_route(std::string_view realm,
                                 std::string_view session,
                                 const core::route& what) {
  const auto key = route_key(realm, session, what.name);
  if (is_plain(what.name)) {
    save(space_, key, core::route{{}, what.options});
    return true;
  }
  const auto there = load<core::route>(space_, key);
  if (there && there->name != what.name)
    return false;
  save(space_, key, what);
  return true;
}

void stored_directory::erase_route(std::string_view realm,
                                   std::string_view session,
                                   const core::route_name& name) {
  if (find_route(realm, session, name))
    drop(space_, route_key(realm, session, name));
}

void stored_directory::each_route(std::string_view realm,
                                  std::string_view session,
                                  const route_visitor& visit) const {
  const auto prefix = state_key{key_kind::route}.name(realm).name(session);
  if (!prefix.fits())
    return;
  space_.scan(prefix.view(), {},
              [&](std::string_view key, const core::shared_bytes& value) {
                state_key_parts parts{key};
                static_cast<void>(parts.name());
                static_cast<void>(parts.name());
                return visit(route_of(parts, value));
              });
}

void stored_directory::each_route(const any_route_visitor& visit) const {
  const state_key prefix{key_kind::route};
  space_.scan(prefix.view(), {},
              [&](std::string_view key, const core::shared_bytes& value) {
                state_key_parts parts{key};
                const auto realm = parts.name();
                const auto session = parts.name();
                TROUPE_ASSERT(realm && session, "damaged key in the state");
                return visit(*realm, *session, route_of(parts, value));
              });
}

core::route_totals stored_directory::totals_of_routes() const {
  return load<core::route_totals>(space_, state_key{key_kind::route_totals})
      .value_or(core::route_totals{});
}

void stored_directory::put_totals_of_routes(const core::route_totals& totals) {
  const state_key key{key_kind::route_totals};
  if (totals == core::route_totals{})
    drop(space_, key);
  else
    save(space_, key, totals);
}

} // namespace troupe::schema
