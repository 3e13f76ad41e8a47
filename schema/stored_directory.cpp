// SPDX-License-Identifier: Apache-2.0
#include "schema/stored_directory.hpp"

#include "core/name_rules.hpp"
#include "schema/state_key.hpp"
#include "schema/stored_record.hpp"

#include <utility>

namespace troupe::schema {
namespace {

state_key pair_key(key_kind kind, std::string_view realm,
                   std::string_view name) {
  return state_key{kind}.name(realm).last(name);
}
state_key triple_key(key_kind kind, std::string_view realm,
                     std::string_view first, std::string_view second) {
  return state_key{kind}.name(realm).name(first).last(second);
}

/// Visits the names behind `after` that stand last in the keys which start
/// with `prefix`.
template <class Visit>
void walk(const core::state_space& space, const state_key& prefix,
          std::string_view after, const Visit& visit) {
  if (!prefix.fits())
    return;
  // No name is longer than the bound, so what follows a longer one is what
  // follows its beginning.
  auto from = prefix;
  from.last(after.substr(0, core::name_bytes_max + 1));
  if (!from.fits())
    return;
  const auto prefix_bytes = prefix.view().size();
  space.scan(prefix.view(),
             after.empty() ? std::string{from.view()} : from.successor(),
             [&](std::string_view key, const core::shared_bytes& value) {
               return visit(key.substr(prefix_bytes), value);
             });
}

} // namespace

std::optional<core::user_record>
stored_directory::user(std::string_view realm, std::string_view uid) const {
  return load<core::user_record>(space_, pair_key(key_kind::user, realm, uid));
}

void stored_directory::put_user(std::string_view realm, std::string_view uid,
                                const core::user_record& user) {
  save(space_, pair_key(key_kind::user, realm, uid), user);
}

void stored_directory::erase_user(std::string_view realm,
                                  std::string_view uid) {
  drop(space_, pair_key(key_kind::user, realm, uid));
}

void stored_directory::each_user(std::string_view realm, std::string_view after,
                                 const user_visitor& visit) const {
  walk(space_, state_key{key_kind::user}.name(realm), after,
       [&](std::string_view uid, const core::shared_bytes& value) {
         return visit(uid, decoded<core::user_record>(value));
       });
}

std::optional<std::string>
stored_directory::alias(std::string_view realm, std::string_view alias) const {
  auto record =
      load<alias_record>(space_, pair_key(key_kind::alias, realm, alias));
  if (!record)
    return std::nullopt;
  return std::move(record->uid);
}

void stored_directory::put_alias(std::string_view realm, std::string_view alias,
                                 std::string_view uid) {
  save(space_, pair_key(key_kind::alias, realm, alias),
       alias_record{std::string{uid}});
}

void stored_directory::erase_alias(std::string_view realm,
                                   std::string_view alias) {
  drop(space_, pair_key(key_kind::alias, realm, alias));
}

std::optional<core::list_record>
stored_directory::list(std::string_view realm, std::string_view list) const {
  return load<core::list_record>(space_, pair_key(key_kind::list, realm, list));
}

void stored_directory::put_list(std::string_view realm, std::string_view list,
                                const core::list_record& record) {
  save(space_, pair_key(key_kind::list, realm, list), record);
}

void stored_directory::erase_list(std::string_view realm,
                                  std::string_view list) {
  drop(space_, pair_key(key_kind::list, realm, list));
}

void stored_directory::each_list(std::string_view realm, std::string_view after,
                                 const list_visitor& visit) const {
  walk(space_, state_key{key_kind::list}.name(realm), after,
       [&](std::string_view list, const core::shared_bytes& value) {
         return visit(list, decoded<core::list_record>(value));
       });
}

std::optional<core::list_member>
stored_directory::member(std::string_view realm, std::string_view list,
                         std::string_view uid) const {
  return load<core::list_member>(
      space_, triple_key(key_kind::member, realm, list, uid));
}

void stored_directory::put_member(std::string_view realm, std::string_view list,
                                  std::string_view uid,
                                  const core::list_member& member) {
  save(space_, triple_key(key_kind::member, realm, list, uid), member);
  save(space_, triple_key(key_kind::membership, realm, uid, list),
       mark_record{});
}

void stored_directory::erase_member(std::string_view realm,
                                    std::string_view list,
                                    std::string_view uid) {
  drop(space_, triple_key(key_kind::member, realm, list, uid));
  drop(space_, triple_key(key_kind::membership, realm, uid, list));
}

void stored_directory::each_member(std::string_view realm,
                                   std::string_view list,
                                   std::string_view after,
                                   const member_visitor& visit) const {
  walk(space_, state_key{key_kind::member}.name(realm).name(list), after,
       [&](std::string_view uid, const core::shared_bytes& value) {
         return visit(uid, decoded<core::list_member>(value));
       });
}

void stored_directory::each_membership(std::string_view realm,
                                       std::string_view uid,
                                       std::string_view after,
                                       const name_visitor& visit) const {
  walk(space_, state_key{key_kind::membership}.name(realm).name(uid), after,
       [&](std::string_view list, const core::shared_bytes&) {
         return visit(list);
       });
}

core::realm_totals stored_directory::totals(std::string_view realm) const {
  return load<core::realm_totals>(space_,
                                  state_key{key_kind::totals}.last(realm))
      .value_or(core::realm_totals{});
}

void stored_directory::put_totals(std::string_view realm,
                                  const core::realm_totals& totals) {
  const auto key = state_key{key_kind::totals}.last(realm);
  if (totals == core::realm_totals{})
    drop(space_, key);
  else
    save(space_, key, totals);
}

void stored_directory::each_realm(const name_visitor& visit) const {
  walk(space_, state_key{key_kind::totals}, {},
       [&](std::string_view realm, const core::shared_bytes&) {
         return visit(realm);
       });
}

std::optional<core::origin_record>
stored_directory::origin(std::uint64_t id) const {
  return load<core::origin_record>(space_, origin_key(id));
}

void stored_directory::put_origin(std::uint64_t id,
                                  const core::origin_record& record) {
  save(space_, origin_key(id), record);
}

void stored_directory::erase_origin(std::uint64_t id) {
  drop(space_, origin_key(id));
}

std::vector<std::pair<std::uint64_t, core::origin_record>>
stored_directory::origins() const {
  return load_origins(space_);
}

} // namespace troupe::schema
