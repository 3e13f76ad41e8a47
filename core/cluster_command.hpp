// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Commands of the directory group that say which nodes there are and what
/// each of them keeps. What becomes of them is in node_registry.hpp.
namespace troupe::core {

/// What a node is to its cluster. Numbers are stable (stored).
enum class node_state : std::uint8_t {
  joining = 1,  ///< admitted; gets the directory first
  member = 2,   ///< keeps its share
  draining = 3, ///< gives its share away
  removed = 4,  ///< for good: its id is never used again
  absent = 5,   ///< gone for long: its share went to others until it is back
};

/// A node wants to be one of the cluster, or says again that it is.
struct admit_node {
  /// Chosen by the node, at random, when its data folder was made: who asks
  /// twice is admitted once.
  std::string token;
  std::string name; ///< for people
  std::string address;
  /// Grows with every start of the node.
  std::uint64_t incarnation = 0;
  /// The first node of a cluster has its id already; it is a member at once.
  std::optional<node_id> as;

  friend bool operator==(const admit_node&, const admit_node&) = default;
};

struct set_node_state {
  node_id node;
  node_state state = node_state::member;

  friend bool operator==(const set_node_state&,
                         const set_node_state&) = default;
};

/// `fresh` gets the seats of `old`, which keeps none any more.
struct replace_node {
  node_id old;
  node_id fresh;

  friend bool operator==(const replace_node&, const replace_node&) = default;
};

/// A node was started, perhaps somewhere else.
struct set_node_address {
  node_id node;
  std::string address;
  std::uint64_t incarnation = 0;

  friend bool operator==(const set_node_address&,
                         const set_node_address&) = default;
};

/// The nodes that shall keep a group: in this order, the first shall lead.
struct group_placement {
  group_id group;
  std::vector<node_id> replicas;

  friend bool operator==(const group_placement&,
                         const group_placement&) = default;
};

/// Groups that are not named keep theirs.
struct set_placement {
  std::vector<group_placement> groups;

  friend bool operator==(const set_placement&, const set_placement&) = default;
};

/// All nodes can do what this level asks for, so it may be used. Never falls.
struct set_feature_level {
  std::uint32_t level = 0;

  friend bool operator==(const set_feature_level&,
                         const set_feature_level&) = default;
};

using cluster_command =
    std::variant<admit_node, set_node_state, set_node_address, set_placement,
                 set_feature_level, replace_node>;

} // namespace troupe::core
