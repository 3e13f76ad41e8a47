// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/directory_store.hpp"
#include "core/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::core {

class route_table;

/// The device of that name, or nullptr.
[[nodiscard]] const user_device* find_device(const user_record& user,
                                             std::string_view name) noexcept;
[[nodiscard]] const user_device* find_device(const user_record& user,
                                             device_offset offset) noexcept;

/// The read side of the directory, in the words of those who ask. Holds
/// nothing but a reference; usable from several threads as long as the const
/// functions of the store are.
class directory {
public:
  /// Both must live longer; `routes` may be null.
  explicit directory(const directory_store& store,
                     const route_table* routes = nullptr)
      : store_(store), routes_(routes) {}

  [[nodiscard]] std::optional<user_record>
  find_user(std::string_view realm, std::string_view uid) const {
    return store_.user(realm, uid);
  }
  [[nodiscard]] bool has_user(std::string_view realm,
                              std::string_view uid) const {
    return store_.user(realm, uid).has_value();
  }
  [[nodiscard]] std::optional<std::string>
  uid_of_alias(std::string_view realm, std::string_view alias) const {
    return store_.alias(realm, alias);
  }

  [[nodiscard]] std::optional<list_record>
  find_list(std::string_view realm, std::string_view list) const {
    return store_.list(realm, list);
  }
  /// How the user stands to the list: none if either is unknown.
  [[nodiscard]] membership membership_of(std::string_view realm,
                                         std::string_view list,
                                         std::string_view uid) const;
  [[nodiscard]] std::optional<list_member>
  find_member(std::string_view realm, std::string_view list,
              std::string_view uid) const {
    return store_.member(realm, list, uid);
  }

  /// Full and invited members in order of uid, behind `after` ("" for all).
  void each_member(std::string_view realm, std::string_view list,
                   const directory_store::member_visitor& visit,
                   std::string_view after = {}) const {
    store_.each_member(realm, list, after, visit);
  }
  /// Lists the user is in.
  void each_membership(std::string_view realm, std::string_view uid,
                       const directory_store::name_visitor& visit,
                       std::string_view after = {}) const {
    store_.each_membership(realm, uid, after, visit);
  }

  /// Pages of users and lists: continue behind the last name of a page.
  void each_user(std::string_view realm, std::string_view after,
                 const directory_store::user_visitor& visit) const {
    store_.each_user(realm, after, visit);
  }
  void each_list(std::string_view realm, std::string_view after,
                 const directory_store::list_visitor& visit) const {
    store_.each_list(realm, after, visit);
  }
  void each_realm(const directory_store::name_visitor& visit) const {
    store_.each_realm(visit);
  }

  [[nodiscard]] std::optional<node_record> find_node(node_id id) const {
    return store_.node(id);
  }
  void each_node(const node_store::node_visitor& visit) const {
    store_.each_node(visit);
  }
  /// Who shall keep a group, first who shall lead it.
  [[nodiscard]] std::optional<std::vector<node_id>>
  placement(group_id group) const {
    return store_.placement(group);
  }
  [[nodiscard]] cluster_record cluster() const { return store_.cluster(); }

  /// Accounts, roles, tokens, blocks and bans.
  [[nodiscard]] const rights_store& rights() const { return store_; }

  /// Routes to match publications against; null if this node keeps no table.
  [[nodiscard]] const route_table* routes() const noexcept { return routes_; }
  /// Those of one session; generation and count, if it ever had any.
  [[nodiscard]] std::optional<session_routes>
  routes_of(std::string_view realm, std::string_view session) const {
    return store_.routes_of(realm, session);
  }
  void each_route(std::string_view realm, std::string_view session,
                  const route_store::route_visitor& visit) const {
    store_.each_route(realm, session, visit);
  }
  [[nodiscard]] route_totals totals_of_routes() const {
    return store_.totals_of_routes();
  }

  [[nodiscard]] realm_totals totals(std::string_view realm) const {
    return store_.totals(realm);
  }
  /// Over all realms.
  [[nodiscard]] realm_totals totals() const;

private:
  const directory_store& store_;
  const route_table* routes_;
};

} // namespace troupe::core
