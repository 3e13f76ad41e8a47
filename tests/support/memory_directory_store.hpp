// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/directory_store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe::test {

/// core::directory_store in plain maps: what the rules mean, without bytes.
/// Equal stores hold the same; copy it to take a snapshot.
class memory_directory_store final : public core::directory_store {
public:
  std::optional<core::user_record> user(std::string_view realm,
                                        std::string_view uid) const override {
    return find(users_, pair_key(realm, uid));
  }
  void put_user(std::string_view realm, std::string_view uid,
                const core::user_record& user) override {
    users_[pair_key(realm, uid)] = user;
  }
  void erase_user(std::string_view realm, std::string_view uid) override {
    users_.erase(pair_key(realm, uid));
  }
  void each_user(std::string_view realm, std::string_view after,
                 const user_visitor& visit) const override {
    for (auto i = users_.upper_bound(pair_key(realm, after));
         i != users_.end() && i->first.first == realm; ++i)
      if (!visit(i->first.second, i->second))
        return;
  }

  std::optional<std::string> alias(std::string_view realm,
                                   std::string_view alias) const override {
    return find(aliases_, pair_key(realm, alias));
  }
  void put_alias(std::string_view realm, std::string_view alias,
                 std::string_view uid) override {
    aliases_[pair_key(realm, alias)] = uid;
  }
  void erase_alias(std::string_view realm, std::string_view alias) override {
    aliases_.erase(pair_key(realm, alias));
  }

  std::optional<core::list_record> list(std::string_view realm,
                                        std::string_view list) const override {
    return find(lists_, pair_key(realm, list));
  }
  void put_list(std::string_view realm, std::string_view list,
                const core::list_record& record) override {
    lists_[pair_key(realm, list)] = record;
  }
  void erase_list(std::string_view realm, std::string_view list) override {
    lists_.erase(pair_key(realm, list));
  }
  void each_list(std::string_view realm, std::string_view after,
                 const list_visitor& visit) const override {
    for (auto i = lists_.upper_bound(pair_key(realm, after));
         i != lists_.end() && i->first.first == realm; ++i)
      if (!visit(i->first.second, i->second))
        return;
  }

  std::optional<core::list_member> member(std::string_view realm,
                                          std::string_view list,
                                          std::string_view uid) const override {
    return find(members_, triple_key(realm, list, uid));
  }
  void put_member(std::string_view realm, std::string_view list,
                  std::string_view uid,
                  const core::list_member& member) override {
    members_[triple_key(realm, list, uid)] = member;
    memberships_[triple_key(realm, uid, list)] = true;
  }
  void erase_member(std::string_view realm, std::string_view list,
                    std::string_view uid) override {
    members_.erase(triple_key(realm, list, uid));
    memberships_.erase(triple_key(realm, uid, list));
  }
  void each_member(std::string_view realm, std::string_view list,
                   std::string_view after,
                   const member_visitor& visit) const override {
    for (auto i = members_.upper_bound(triple_key(realm, list, after));
         i != members_.end() && std::get<0>(i->first) == realm &&
         std::get<1>(i->first) == list;
         ++i)
      if (!visit(std::get<2>(i->first), i->second))
        return;
  }
  void each_membership(std::string_view realm, std::string_view uid,
                       std::string_view after,
                       const name_visitor& visit) const override {
    for (auto i = memberships_.upper_bound(triple_key(realm, uid, after));
         i != memberships_.end() && std::get<0>(i->first) == realm &&
         std::get<1>(i->first) == uid;
         ++i)
      if (!visit(std::get<2>(i->first)))
        return;
  }

  core::realm_totals totals(std::string_view realm) const override {
    return find(totals_, std::string{realm}).value_or(core::realm_totals{});
  }
  void put_totals(std::string_view realm,
                  const core::realm_totals& totals) override {
    if (totals == core::realm_totals{})
      totals_.erase(std::string{realm});
    else
      totals_[std::string{realm}] = totals;
  }
  void each_realm(const name_visitor& visit) const override {
    for (const auto& [realm, totals] : totals_)
      if (!visit(realm))
        return;
  }

  std::optional<core::origin_record> origin(std::uint64_t id) const override {
    return find(origins_, id);
  }
  void put_origin(std::uint64_t id,
                  const core::origin_record& record) override {
    origins_[id] = record;
  }
  void erase_origin(std::uint64_t id) override { origins_.erase(id); }
  std::vector<std::pair<std::uint64_t, core::origin_record>>
  origins() const override {
    return {origins_.begin(), origins_.end()};
  }

  std::optional<core::node_record> node(core::node_id id) const override {
    return find(nodes_, id);
  }
  void put_node(core::node_id id, const core::node_record& record) override {
    nodes_[id] = record;
  }
  void each_node(const node_visitor& visit) const override {
    for (const auto& [id, record] : nodes_)
      if (!visit(id, record))
        return;
  }
  std::optional<std::vector<core::node_id>>
  placement(core::group_id group) const override {
    return find(placements_, group);
  }
  void put_placement(const core::group_placement& placement) override {
    placements_[placement.group] = placement.replicas;
  }
  void each_placement(const placement_visitor& visit) const override {
    for (const auto& [group, replicas] : placements_)
      if (!visit({group, replicas}))
        return;
  }
  core::cluster_record cluster() const override { return cluster_; }
  void put_cluster(const core::cluster_record& record) override {
    cluster_ = record;
  }

  std::optional<core::account_record>
  account(std::string_view realm, std::string_view uid) const override {
    return find(accounts_, pair_key(realm, uid));
  }
  void put_account(std::string_view realm, std::string_view uid,
                   const core::account_record& record) override {
    accounts_[pair_key(realm, uid)] = record;
  }
  void erase_account(std::string_view realm, std::string_view uid) override {
    accounts_.erase(pair_key(realm, uid));
  }
  void each_account(std::string_view realm, std::string_view after,
                    const account_visitor& visit) const override {
    for (auto i = accounts_.upper_bound(pair_key(realm, after));
         i != accounts_.end() && i->first.first == realm; ++i)
      if (!visit(i->first.second, i->second))
        return;
  }
  std::optional<core::role_record> role(std::string_view realm,
                                        std::string_view role) const override {
    return find(roles_, pair_key(realm, role));
  }
  void put_role(std::string_view realm, std::string_view role,
                const core::role_record& record) override {
    roles_[pair_key(realm, role)] = record;
  }
  void erase_role(std::string_view realm, std::string_view role) override {
    roles_.erase(pair_key(realm, role));
  }
  void each_role(std::string_view realm, std::string_view after,
                 const role_visitor& visit) const override {
    for (auto i = roles_.upper_bound(pair_key(realm, after));
         i != roles_.end() && i->first.first == realm; ++i)
      if (!visit(i->first.second, i->second))
        return;
  }
  std::optional<core::token_record> token(std::string_view id) const override {
    return find(tokens_, std::string{id});
  }
  void put_token(std::string_view id,
                 const core::token_record& record) override {
    tokens_[std::string{id}] = record;
  }
  void erase_token(std::string_view id) override {
    tokens_.erase(std::string{id});
  }
  void each_token(std::string_view after,
                  const token_visitor& visit) const override {
    for (auto i = tokens_.upper_bound(std::string{after}); i != tokens_.end();
         ++i)
      if (!visit(i->first, i->second))
        return;
  }
  bool has_block(std::string_view realm, std::string_view uid,
                 std::string_view sender) const override {
    return blocks_.count(triple_key(realm, uid, sender)) > 0;
  }
  void put_block(std::string_view realm, std::string_view uid,
                 std::string_view sender) override {
    blocks_[triple_key(realm, uid, sender)] = true;
  }
  void erase_block(std::string_view realm, std::string_view uid,
                   std::string_view sender) override {
    blocks_.erase(triple_key(realm, uid, sender));
  }
  void each_block(std::string_view realm, std::string_view uid,
                  std::string_view after,
                  const block_visitor& visit) const override {
    for (auto i = blocks_.upper_bound(triple_key(realm, uid, after));
         i != blocks_.end() && std::get<0>(i->first) == realm &&
         std::get<1>(i->first) == uid;
         ++i)
      if (!visit(std::get<2>(i->first)))
        return;
  }
  std::optional<core::ban_record> ban(core::ban_kind kind,
                                      std::string_view realm,
                                      std::string_view name) const override {
    return find(bans_, ban_key(kind, realm, name));
  }
  void put_ban(core::ban_kind kind, std::string_view realm,
               std::string_view name, const core::ban_record& record) override {
    bans_[ban_key(kind, realm, name)] = record;
  }
  void erase_ban(core::ban_kind kind, std::string_view realm,
                 std::string_view name) override {
    bans_.erase(ban_key(kind, realm, name));
  }
  void each_ban(core::ban_kind kind, std::string_view realm,
                std::string_view after,
                const ban_visitor& visit) const override {
    for (auto i = bans_.upper_bound(ban_key(kind, realm, after));
         i != bans_.end() && std::get<0>(i->first) == kind &&
         std::get<1>(i->first) == realm;
         ++i)
      if (!visit(std::get<2>(i->first), i->second))
        return;
  }
  core::rights_totals totals_of_rights() const override {
    return rights_totals_;
  }
  void put_totals_of_rights(const core::rights_totals& totals) override {
    rights_totals_ = totals;
  }

  std::optional<core::session_routes>
  routes_of(std::string_view realm, std::string_view session) const override {
    return find(routes_of_, pair_key(realm, session));
  }
  void put_routes_of(std::string_view realm, std::string_view session,
                     const core::session_routes& record) override {
    routes_of_[pair_key(realm, session)] = record;
  }
  void erase_routes_of(std::string_view realm,
                       std::string_view session) override {
    routes_of_.erase(pair_key(realm, session));
  }
  std::optional<core::route_options>
  find_route(std::string_view realm, std::string_view session,
             const core::route_name& name) const override {
    return find(routes_, route_key(realm, session, name));
  }
  bool put_route(std::string_view realm, std::string_view session,
                 const core::route& what) override {
    routes_[route_key(realm, session, what.name)] = what.options;
    return true;
  }
  void erase_route(std::string_view realm, std::string_view session,
                   const core::route_name& name) override {
    routes_.erase(route_key(realm, session, name));
  }
  void each_route(std::string_view realm, std::string_view session,
                  const route_visitor& visit) const override {
    for (auto i = routes_.lower_bound(route_key(realm, session, {}));
         i != routes_.end() && std::get<0>(i->first) == realm &&
         std::get<1>(i->first) == session;
         ++i)
      if (!visit({std::get<2>(i->first), i->second}))
        return;
  }
  void each_route(const any_route_visitor& visit) const override {
    for (const auto& [key, options] : routes_)
      if (!visit(std::get<0>(key), std::get<1>(key),
                 {std::get<2>(key), options}))
        return;
  }
  core::route_totals totals_of_routes() const override { return route_totals_; }
  void put_totals_of_routes(const core::route_totals& totals) override {
    route_totals_ = totals;
  }

  friend bool operator==(const memory_directory_store&,
                         const memory_directory_store&);

private:
  using pair = std::pair<std::string, std::string>;
  using triple = std::tuple<std::string, std::string, std::string>;
  using ban_name = std::tuple<core::ban_kind, std::string, std::string>;

  /// Realm, session, filter and share name.
  using route_place = std::tuple<std::string, std::string, core::route_name>;
  static route_place route_key(std::string_view realm, std::string_view session,
                               const core::route_name& name) {
    return {std::string{realm}, std::string{session}, name};
  }

  static pair pair_key(std::string_view a, std::string_view b) {
    return {std::string{a}, std::string{b}};
  }
  static triple triple_key(std::string_view a, std::string_view b,
                           std::string_view c) {
    return {std::string{a}, std::string{b}, std::string{c}};
  }
  static ban_name ban_key(core::ban_kind kind, std::string_view realm,
                          std::string_view name) {
    return {kind, std::string{realm}, std::string{name}};
  }
  template <class Map>
  static std::optional<typename Map::mapped_type>
  find(const Map& map, const typename Map::key_type& key) {
    const auto found = map.find(key);
    if (found == map.end())
      return std::nullopt;
    return found->second;
  }

  std::map<pair, core::user_record> users_;
  std::map<pair, std::string> aliases_;
  std::map<pair, core::list_record> lists_;
  std::map<triple, core::list_member> members_; ///< realm, list, uid
  std::map<triple, bool> memberships_;          ///< realm, uid, list
  std::map<std::string, core::realm_totals> totals_;
  std::map<std::uint64_t, core::origin_record> origins_;
  std::map<core::node_id, core::node_record> nodes_;
  std::map<core::group_id, std::vector<core::node_id>> placements_;
  core::cluster_record cluster_;
  std::map<pair, core::account_record> accounts_;
  std::map<pair, core::role_record> roles_;
  std::map<std::string, core::token_record, std::less<>> tokens_;
  std::map<triple, bool> blocks_; ///< realm, uid, whom he has blocked
  std::map<ban_name, core::ban_record> bans_;
  core::rights_totals rights_totals_;
  std::map<pair, core::session_routes> routes_of_;
  std::map<route_place, core::route_options> routes_;
  core::route_totals route_totals_;
};

inline bool operator==(const memory_directory_store& a,
                       const memory_directory_store& b) {
  return a.users_ == b.users_ && a.aliases_ == b.aliases_ &&
         a.lists_ == b.lists_ && a.members_ == b.members_ &&
         a.memberships_ == b.memberships_ && a.totals_ == b.totals_ &&
         a.origins_ == b.origins_ && a.nodes_ == b.nodes_ &&
         a.placements_ == b.placements_ && a.cluster_ == b.cluster_ &&
         a.accounts_ == b.accounts_ && a.roles_ == b.roles_ &&
         a.tokens_ == b.tokens_ && a.blocks_ == b.blocks_ &&
         a.bans_ == b.bans_ && a.rights_totals_ == b.rights_totals_ &&
         a.routes_of_ == b.routes_of_ && a.routes_ == b.routes_ &&
         a.route_totals_ == b.route_totals_;
}

} // namespace troupe::test
