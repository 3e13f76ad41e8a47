// SPDX-License-Identifier: Apache-2.0
#include "schema/stored_directory.hpp"

#include "core/assert.hpp"
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

// ------------------------------------------------------------------- cluster

std::optional<core::node_record>
stored_directory::node(core::node_id id) const {
  return load<core::node_record>(space_,
                                 state_key{key_kind::node}.number(id.value()));
}

void stored_directory::put_node(core::node_id id,
                                const core::node_record& record) {
  save(space_, state_key{key_kind::node}.number(id.value()), record);
}

void stored_directory::each_node(const node_visitor& visit) const {
  const state_key prefix{key_kind::node};
  space_.scan(prefix.view(), {},
              [&](std::string_view key, const core::shared_bytes& value) {
                const auto id = state_key_parts{key}.number();
                TROUPE_ASSERT(id, "damaged key in the state");
                return visit(core::node_id{static_cast<std::uint32_t>(*id)},
                             decoded<core::node_record>(value));
              });
}

std::optional<std::vector<core::node_id>>
stored_directory::placement(core::group_id group) const {
  auto record = load<replicas_record>(
      space_, state_key{key_kind::placement}.number(group.value()));
  if (!record)
    return std::nullopt;
  return std::move(record->nodes);
}

void stored_directory::put_placement(const core::group_placement& placement) {
  save(space_, state_key{key_kind::placement}.number(placement.group.value()),
       replicas_record{placement.replicas});
}

void stored_directory::each_placement(const placement_visitor& visit) const {
  const state_key prefix{key_kind::placement};
  space_.scan(prefix.view(), {},
              [&](std::string_view key, const core::shared_bytes& value) {
                const auto group = state_key_parts{key}.number();
                TROUPE_ASSERT(group, "damaged key in the state");
                return visit(
                    {core::group_id{static_cast<std::uint16_t>(*group)},
                     decoded<replicas_record>(value).nodes});
              });
}

core::cluster_record stored_directory::cluster() const {
  return load<core::cluster_record>(space_, state_key{key_kind::cluster})
      .value_or(core::cluster_record{});
}

void stored_directory::put_cluster(const core::cluster_record& record) {
  save(space_, state_key{key_kind::cluster}, record);
}

} // namespace troupe::schema
