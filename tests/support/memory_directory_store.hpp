// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/directory_store.hpp"

#include <cstdint>
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

  friend bool operator==(const memory_directory_store&,
                         const memory_directory_store&);

private:
  using pair = std::pair<std::string, std::string>;
  using triple = std::tuple<std::string, std::string, std::string>;

  static pair pair_key(std::string_view a, std::string_view b) {
    return {std::string{a}, std::string{b}};
  }
  static triple triple_key(std::string_view a, std::string_view b,
                           std::string_view c) {
    return {std::string{a}, std::string{b}, std::string{c}};
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
};

inline bool operator==(const memory_directory_store& a,
                       const memory_directory_store& b) {
  return a.users_ == b.users_ && a.aliases_ == b.aliases_ &&
         a.lists_ == b.lists_ && a.members_ == b.members_ &&
         a.memberships_ == b.memberships_ && a.totals_ == b.totals_ &&
         a.origins_ == b.origins_ && a.nodes_ == b.nodes_ &&
         a.placements_ == b.placements_ && a.cluster_ == b.cluster_;
}

} // namespace troupe::test
