// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/directory_store.hpp"
#include "core/state_space.hpp"

namespace troupe::schema {

/// core::directory_store as records of a state space; docs/formats/records.md
/// has keys and values. Holds nothing but a reference: the const functions may
/// run on any thread if those of the space do (one call sees one record as of
/// one moment; a walk may see changes made meanwhile).
///
/// A name or realm above the bounds of core/name_rules.hpp is never found;
/// putting one is a programmer's error (assert), as is a damaged record (the
/// space keeps checksums).
class stored_directory final : public core::directory_store {
public:
  /// `space` must live longer.
  explicit stored_directory(core::state_space& space) : space_(space) {}

  std::optional<core::user_record> user(std::string_view realm,
                                        std::string_view uid) const override;
  void put_user(std::string_view realm, std::string_view uid,
                const core::user_record& user) override;
  void erase_user(std::string_view realm, std::string_view uid) override;
  void each_user(std::string_view realm, std::string_view after,
                 const user_visitor& visit) const override;

  std::optional<std::string> alias(std::string_view realm,
                                   std::string_view alias) const override;
  void put_alias(std::string_view realm, std::string_view alias,
                 std::string_view uid) override;
  void erase_alias(std::string_view realm, std::string_view alias) override;

  std::optional<core::list_record> list(std::string_view realm,
                                        std::string_view list) const override;
  void put_list(std::string_view realm, std::string_view list,
                const core::list_record& record) override;
  void erase_list(std::string_view realm, std::string_view list) override;
  void each_list(std::string_view realm, std::string_view after,
                 const list_visitor& visit) const override;

  std::optional<core::list_member> member(std::string_view realm,
                                          std::string_view list,
                                          std::string_view uid) const override;
  void put_member(std::string_view realm, std::string_view list,
                  std::string_view uid,
                  const core::list_member& member) override;
  void erase_member(std::string_view realm, std::string_view list,
                    std::string_view uid) override;
  void each_member(std::string_view realm, std::string_view list,
                   std::string_view after,
                   const member_visitor& visit) const override;
  void each_membership(std::string_view realm, std::string_view uid,
                       std::string_view after,
                       const name_visitor& visit) const override;

  core::realm_totals totals(std::string_view realm) const override;
  void put_totals(std::string_view realm,
                  const core::realm_totals& totals) override;
  void each_realm(const name_visitor& visit) const override;

  std::optional<core::origin_record> origin(std::uint64_t id) const override;
  void put_origin(std::uint64_t id, const core::origin_record& record) override;
  void erase_origin(std::uint64_t id) override;
  std::vector<std::pair<std::uint64_t, core::origin_record>>
  origins() const override;

  std::optional<core::node_record> node(core::node_id id) const override;
  void put_node(core::node_id id, const core::node_record& record) override;
  void each_node(const node_visitor& visit) const override;
  std::optional<std::vector<core::node_id>>
  placement(core::group_id group) const override;
  void put_placement(const core::group_placement& placement) override;
  void each_placement(const placement_visitor& visit) const override;
  core::cluster_record cluster() const override;
  void put_cluster(const core::cluster_record& record) override;

  // stored_rights.cpp
  std::optional<core::account_record>
  account(std::string_view realm, std::string_view uid) const override;
  void put_account(std::string_view realm, std::string_view uid,
                   const core::account_record& record) override;
  void erase_account(std::string_view realm, std::string_view uid) override;
  void each_account(std::string_view realm, std::string_view after,
                    const account_visitor& visit) const override;
  std::optional<core::role_record> role(std::string_view realm,
                                        std::string_view role) const override;
  void put_role(std::string_view realm, std::string_view role,
                const core::role_record& record) override;
  void erase_role(std::string_view realm, std::string_view role) override;
  void each_role(std::string_view realm, std::string_view after,
                 const role_visitor& visit) const override;
  std::optional<core::token_record> token(std::string_view id) const override;
  void put_token(std::string_view id,
                 const core::token_record& record) override;
  void erase_token(std::string_view id) override;
  void each_token(std::string_view after,
                  const token_visitor& visit) const override;
  bool has_block(std::string_view realm, std::string_view uid,
                 std::string_view sender) const override;
  void put_block(std::string_view realm, std::string_view uid,
                 std::string_view sender) override;
  void erase_block(std::string_view realm, std::string_view uid,
                   std::string_view sender) override;
  void each_block(std::string_view realm, std::string_view uid,
                  std::string_view after,
                  const block_visitor& visit) const override;
  std::optional<core::ban_record> ban(core::ban_kind kind,
                                      std::string_view realm,
                                      std::string_view name) const override;
  void put_ban(core::ban_kind kind, std::string_view realm,
               std::string_view name, const core::ban_record& record) override;
  void erase_ban(core::ban_kind kind, std::string_view realm,
                 std::string_view name) override;
  void each_ban(core::ban_kind kind, std::string_view realm,
                std::string_view after,
                const ban_visitor& visit) const override;
  core::rights_totals totals_of_rights() const override;
  void put_totals_of_rights(const core::rights_totals& totals) override;

  // stored_routes.cpp
  std::optional<core::session_routes>
  routes_of(std::string_view realm, std::string_view session) const override;
  void put_routes_of(std::string_view realm, std::string_view session,
                     const core::session_routes& record) override;
  void erase_routes_of(std::string_view realm,
                       std::string_view session) override;
  std::optional<core::route_options>
  find_route(std::string_view realm, std::string_view session,
             const core::route_name& name) const override;
  bool put_route(std::string_view realm, std::string_view session,
                 const core::route& what) override;
  void erase_route(std::string_view realm, std::string_view session,
                   const core::route_name& name) override;
  void each_route(std::string_view realm, std::string_view session,
                  const route_visitor& visit) const override;
  void each_route(const any_route_visitor& visit) const override;
  core::route_totals totals_of_routes() const override;
  void put_totals_of_routes(const core::route_totals& totals) override;

private:
  core::state_space& space_;
};

} // namespace troupe::schema
