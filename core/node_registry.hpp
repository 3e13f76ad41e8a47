// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cluster_command.hpp"
#include "core/ids.hpp"
#include "core/node_store.hpp"
#include "core/result.hpp"

#include <cstddef>

namespace troupe::core {

/// Nodes a cluster may have, without the removed ones.
inline constexpr std::size_t nodes_max = 255;
inline constexpr std::size_t address_bytes_max = 300;
inline constexpr std::size_t join_token_bytes_max = 64;

/// The node that admit_node was about; for the other commands the one named.
struct cluster_outcome {
  error failure;
  node_id node;

  friend bool operator==(const cluster_outcome&,
                         const cluster_outcome&) = default;
};

/// Applies one command about nodes at `time`; on a failure nothing has
/// changed. Deterministic. Failures:
/// - name_invalid: name, address or token is none (detail says which);
/// - admit_node: not_permitted (the name is another node's, the node was
///   removed, the founder is not entered yet, `as` in a cluster that has
///   nodes), too_many;
/// - the others: not_found (no such node), not_permitted (the node was removed;
///   an older incarnation; the last member; back to joining; absent without
///   having been a member);
/// - replace_node: not_found (one of them), not_permitted (`old` was removed,
///   `fresh` is no member, both are one);
/// - set_placement: invalid_config (no replicas, or one twice).
cluster_outcome apply(node_store& store, const cluster_command& command,
                      timestamp time);

} // namespace troupe::core
