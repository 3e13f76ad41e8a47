// SPDX-License-Identifier: Apache-2.0
#include "core/node_registry.hpp"

#include "core/name_rules.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace troupe::core {
namespace {

bool is_address(const std::string& text) {
  return !text.empty() && text.size() <= address_bytes_max &&
         std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c <= 0x20 || c == 0x7F; });
}

cluster_outcome refused(errc code, std::string detail, node_id node = {}) {
  return {{code, std::move(detail)}, node};
}

class application {
public:
  application(node_store& store, timestamp time) : store_(store), time_(time) {}

  cluster_outcome operator()(const admit_node& c) const;
  cluster_outcome operator()(const set_node_state& c) const;
  cluster_outcome operator()(const set_node_address& c) const;
  cluster_outcome operator()(const set_placement& c) const;
  cluster_outcome operator()(const set_feature_level& c) const;
  cluster_outcome operator()(const replace_node& c) const;

private:
  cluster_outcome admit_again(node_id id, node_record record,
                              const admit_node& c) const;
  cluster_outcome admit_new(const admit_node& c) const;

  node_store& store_;
  timestamp time_;
};

cluster_outcome application::operator()(const admit_node& c) const {
  if (c.token.empty() || c.token.size() > join_token_bytes_max)
    return refused(errc::name_invalid, "token");
  if (!is_name(c.name))
    return refused(errc::name_invalid, "name");
  if (!is_address(c.address))
    return refused(errc::name_invalid, "address");
  std::optional<std::pair<node_id, node_record>> known;
  bool name_taken = false;
  std::size_t nodes = 0;
  store_.each_node([&](node_id id, const node_record& record) {
    const bool there = record.state != node_state::removed;
    nodes += there ? 1U : 0U;
    if (record.token == c.token)
      known.emplace(id, record);
    else
      name_taken = name_taken || (there && record.name == c.name);
    return true;
  });
  if (known && known->second.state == node_state::removed)
    return refused(errc::not_permitted, "the node was removed", known->first);
  if (name_taken)
    return refused(errc::not_permitted, "another node has this name");
  if (known)
    return admit_again(known->first, std::move(known->second), c);
  if (nodes >= nodes_max)
    return refused(errc::too_many, "nodes");
  return admit_new(c);
}

cluster_outcome application::admit_again(node_id id, node_record record,
                                         const admit_node& c) const {
  if (c.incarnation < record.incarnation)
    return refused(errc::not_permitted, "an older incarnation", id);
  if (c.incarnation > record.incarnation)
    record.admitted = time_;
  record.name = c.name;
  record.address = c.address;
  record.incarnation = c.incarnation;
  store_.put_node(id, record);
  return {{}, id};
}

cluster_outcome application::admit_new(const admit_node& c) const {
  auto cluster = store_.cluster();
  node_record record{c.name,  c.address, c.incarnation, node_state::joining,
                     c.token, time_};
  // The first id is the founder's, and it will say so.
  if (!c.as && cluster.last_node == node_id{})
    return refused(errc::not_permitted, "the cluster has no node yet");
  auto id = next(cluster.last_node);
  if (c.as) {
    if (cluster.last_node != node_id{} || *c.as == node_id{})
      return refused(errc::not_permitted, "the cluster has nodes already");
    id = *c.as;
    record.state = node_state::member;
  }
  cluster.last_node = id;
  store_.put_cluster(cluster);
  store_.put_node(id, record);
  return {{}, id};
}

cluster_outcome application::operator()(const set_node_state& c) const {
  auto record = store_.node(c.node);
  if (!record)
    return refused(errc::not_found, "node", c.node);
  if (record->state == c.state)
    return {{}, c.node};
  if (record->state == node_state::removed)
    return refused(errc::not_permitted, "the node was removed", c.node);
  if (c.state == node_state::joining)
    return refused(errc::not_permitted, "the node was admitted", c.node);
  if (c.state == node_state::absent && record->state != node_state::member)
    return refused(errc::not_permitted, "the node is no member", c.node);
  if (record->state == node_state::member) {
    // Somebody must keep the data.
    bool another = false;
    store_.each_node([&](node_id id, const node_record& other) {
      another = id != c.node && other.state == node_state::member;
      return !another;
    });
    if (!another)
      return refused(errc::not_permitted, "the last member", c.node);
  }
  record->state = c.state;
  store_.put_node(c.node, *record);
  return {{}, c.node};
}

cluster_outcome application::operator()(const set_node_address& c) const {
  if (!is_address(c.address))
    return refused(errc::name_invalid, "address", c.node);
  auto record = store_.node(c.node);
  if (!record)
    return refused(errc::not_found, "node", c.node);
  if (record->state == node_state::removed)
    return refused(errc::not_permitted, "the node was removed", c.node);
  if (c.incarnation < record->incarnation)
    return refused(errc::not_permitted, "an older incarnation", c.node);
  if (c.incarnation > record->incarnation)
    record->admitted = time_;
  record->address = c.address;
  record->incarnation = c.incarnation;
  store_.put_node(c.node, *record);
  return {{}, c.node};
}

cluster_outcome application::operator()(const set_placement& c) const {
  for (const auto& placed : c.groups) {
    auto sorted = placed.replicas;
    std::sort(sorted.begin(), sorted.end());
    if (sorted.empty() ||
        std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
      return refused(errc::invalid_config, "replicas");
    for (const auto id : sorted) {
      const auto record = store_.node(id);
      if (!record)
        return refused(errc::not_found, "node", id);
      if (record->state == node_state::removed)
        return refused(errc::not_permitted, "the node was removed", id);
    }
  }
  for (const auto& placed : c.groups)
    store_.put_placement(placed);
  return {};
}

cluster_outcome application::operator()(const replace_node& c) const {
  const auto name = [](node_id id) {
    return "node " + std::to_string(id.value());
  };
  if (c.old == c.fresh)
    return refused(errc::not_permitted, name(c.old) + " can't replace itself",
                   c.old);
  auto old = store_.node(c.old);
  const auto fresh = store_.node(c.fresh);
  for (const auto& [id, known] :
       {std::pair{c.old, old.has_value()}, {c.fresh, fresh.has_value()}})
    if (!known)
      return refused(errc::not_found, name(id) + " is not known", id);
  if (old->state == node_state::removed)
    return refused(errc::not_permitted,
                   name(c.old) + " was removed: others have its seats", c.old);
  if (fresh->state != node_state::member)
    return refused(errc::not_permitted,
                   name(c.fresh) +
                       (fresh->state == node_state::joining
                            ? " is still joining: wait until it is a member"
                            : " is no member: it is drained, absent or "
                              "removed"),
                   c.fresh);
  std::vector<group_placement> changed;
  store_.each_placement([&](const group_placement& placed) {
    auto& replicas = changed.emplace_back(placed).replicas;
    const auto seat = std::find(replicas.begin(), replicas.end(), c.old);
    // Who keeps the directory follows from what the nodes are.
    if (placed.group == directory_group || seat == replicas.end())
      changed.pop_back();
    else if (std::find(replicas.begin(), replicas.end(), c.fresh) ==
             replicas.end())
      *seat = c.fresh;
    else
      replicas.erase(seat); // filled up by the next placement
    return true;
  });
  for (const auto& placed : changed)
    store_.put_placement(placed);
  if (old->state != node_state::draining) {
    old->state = node_state::draining;
    store_.put_node(c.old, *old);
  }
  return {{}, c.fresh};
}

cluster_outcome application::operator()(const set_feature_level& c) const {
  auto cluster = store_.cluster();
  if (c.level > cluster.feature_level) {
    cluster.feature_level = c.level;
    store_.put_cluster(cluster);
  }
  return {};
}

} // namespace

cluster_outcome apply(node_store& store, const cluster_command& command,
                      timestamp time) {
  return std::visit(application{store, time}, command);
}

} // namespace troupe::core
