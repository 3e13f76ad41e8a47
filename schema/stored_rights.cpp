// SPDX-License-Identifier: Apache-2.0
#include "schema/state_key.hpp"
#include "schema/stored_directory.hpp"
#include "schema/stored_record.hpp"

namespace troupe::schema {
namespace {

state_key pair_key(key_kind kind, std::string_view realm,
                   std::string_view name) {
  return state_key{kind}.name(realm).last(name);
}
state_key block_prefix(std::string_view realm, std::string_view uid) {
  return state_key{key_kind::block}.name(realm).name(uid);
}
state_key ban_prefix(core::ban_kind kind, std::string_view realm) {
  return state_key{key_kind::ban}
      .byte(static_cast<std::uint8_t>(kind))
      .name(realm);
}

} // namespace

std::optional<core::account_record>
stored_directory::account(std::string_view realm, std::string_view uid) const {
  return load<core::account_record>(space_,
                                    pair_key(key_kind::account, realm, uid));
}

void stored_directory::put_account(std::string_view realm, std::string_view uid,
                                   const core::account_record& record) {
  save(space_, pair_key(key_kind::account, realm, uid), record);
}

void stored_directory::erase_account(std::string_view realm,
                                     std::string_view uid) {
  drop(space_, pair_key(key_kind::account, realm, uid));
}

void stored_directory::each_account(std::string_view realm,
                                    std::string_view after,
                                    const account_visitor& visit) const {
  walk(space_, state_key{key_kind::account}.name(realm), after,
       [&](std::string_view uid, const core::shared_bytes& value) {
         return visit(uid, decoded<core::account_record>(value));
       });
}

std::optional<core::role_record>
stored_directory::role(std::string_view realm, std::string_view role) const {
  return load<core::role_record>(space_, pair_key(key_kind::role, realm, role));
}

void stored_directory::put_role(std::string_view realm, std::string_view role,
                                const core::role_record& record) {
  save(space_, pair_key(key_kind::role, realm, role), record);
}

void stored_directory::erase_role(std::string_view realm,
                                  std::string_view role) {
  drop(space_, pair_key(key_kind::role, realm, role));
}

void stored_directory::each_role(std::string_view realm, std::string_view after,
                                 const role_visitor& visit) const {
  walk(space_, state_key{key_kind::role}.name(realm), after,
       [&](std::string_view role, const core::shared_bytes& value) {
         return visit(role, decoded<core::role_record>(value));
       });
}

std::optional<core::token_record>
stored_directory::token(std::string_view id) const {
  return load<core::token_record>(space_, state_key{key_kind::token}.last(id));
}

void stored_directory::put_token(std::string_view id,
                                 const core::token_record& record) {
  save(space_, state_key{key_kind::token}.last(id), record);
}

void stored_directory::erase_token(std::string_view id) {
  drop(space_, state_key{key_kind::token}.last(id));
}

void stored_directory::each_token(std::string_view after,
                                  const token_visitor& visit) const {
  walk(space_, state_key{key_kind::token}, after,
       [&](std::string_view id, const core::shared_bytes& value) {
         return visit(id, decoded<core::token_record>(value));
       });
}

bool stored_directory::has_block(std::string_view realm, std::string_view uid,
                                 std::string_view sender) const {
  return load<mark_record>(space_, block_prefix(realm, uid).last(sender))
      .has_value();
}

void stored_directory::put_block(std::string_view realm, std::string_view uid,
                                 std::string_view sender) {
  save(space_, block_prefix(realm, uid).last(sender), mark_record{});
}

void stored_directory::erase_block(std::string_view realm, std::string_view uid,
                                   std::string_view sender) {
  drop(space_, block_prefix(realm, uid).last(sender));
}

void stored_directory::each_block(std::string_view realm, std::string_view uid,
                                  std::string_view after,
                                  const block_visitor& visit) const {
  walk(space_, block_prefix(realm, uid), after,
       [&](std::string_view name, const core::shared_bytes&) {
         return visit(name);
       });
}

std::optional<core::ban_record>
stored_directory::ban(core::ban_kind kind, std::string_view realm,
                      std::string_view name) const {
  return load<core::ban_record>(space_, ban_prefix(kind, realm).last(name));
}

void stored_directory::put_ban(core::ban_kind kind, std::string_view realm,
                               std::string_view name,
                               const core::ban_record& record) {
  save(space_, ban_prefix(kind, realm).last(name), record);
}

void stored_directory::erase_ban(core::ban_kind kind, std::string_view realm,
                                 std::string_view name) {
  drop(space_, ban_prefix(kind, realm).last(name));
}

void stored_directory::each_ban(core::ban_kind kind, std::string_view realm,
                                std::string_view after,
                                const ban_visitor& visit) const {
  walk(space_, ban_prefix(kind, realm), after,
       [&](std::string_view name, const core::shared_bytes& value) {
         return visit(name, decoded<core::ban_record>(value));
       });
}

core::rights_totals stored_directory::totals_of_rights() const {
  return load<core::rights_totals>(space_, state_key{key_kind::rights_totals})
      .value_or(core::rights_totals{});
}

void stored_directory::put_totals_of_rights(const core::rights_totals& totals) {
  const state_key key{key_kind::rights_totals};
  if (totals == core::rights_totals{})
    drop(space_, key);
  else
    save(space_, key, totals);
}

} // namespace troupe::schema
