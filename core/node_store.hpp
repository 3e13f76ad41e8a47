// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cluster_command.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::core {

/// One node as the cluster knows it.
struct node_record {
  std::string name;
  std::string address;
  std::uint64_t incarnation = 0;
  node_state state = node_state::joining;
  std::string token;
  /// When it was admitted last: at first, or under a newer incarnation.
  timestamp admitted{};

  friend bool operator==(const node_record&, const node_record&) = default;
};

/// What is one for the whole cluster.
struct cluster_record {
  /// The highest id ever given.
  node_id last_node;
  std::uint32_t feature_level = 0;

  friend bool operator==(const cluster_record&,
                         const cluster_record&) = default;
};

/// Tables of the directory group about nodes; part of directory_store, with
/// its rules.
class node_store {
public:
  virtual ~node_store() = default;

  using node_visitor =
      std::function<bool(node_id id, const node_record& record)>;
  using placement_visitor = std::function<bool(const group_placement&)>;

  virtual std::optional<node_record> node(node_id id) const = 0;
  virtual void put_node(node_id id, const node_record& record) = 0;
  /// Ascending by id, removed ones too.
  virtual void each_node(const node_visitor& visit) const = 0;

  /// Nothing until somebody has decided: who keeps the group then goes on.
  virtual std::optional<std::vector<node_id>>
  placement(group_id group) const = 0;
  virtual void put_placement(const group_placement& placement) = 0;
  /// Ascending by group.
  virtual void each_placement(const placement_visitor& visit) const = 0;

  /// All zero at first.
  virtual cluster_record cluster() const = 0;
  virtual void put_cluster(const cluster_record& record) = 0;
};

} // namespace troupe::core
