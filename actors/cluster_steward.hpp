// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "cluster/placement.hpp"
#include "cluster/raft.hpp"
#include "core/command.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// What this node says of itself when it founds a cluster.
struct node_identity {
  core::node_id id;
  std::string token;
  std::string name;
  std::string address;
  std::uint64_t incarnation = 1;
};

/// Where the groups shall be, given the nodes that this node's directory has: a
/// moment later it is the directory's placement. `founders` stand for the
/// directory's own placement while there is none. Thread-safe.
[[nodiscard]] cluster::placement
wanted_placement(const broker_context& context,
                 const std::vector<core::node_id>& founders = {});

/// On the leader of the directory: enters the first node, makes newcomers
/// members when they have the directory, takes away the share of a member that
/// is gone for long and gives one back when it returns, and keeps the placement
/// in step with the nodes there are. Proposes one command at a time. Owned by
/// the directory's actor.
class cluster_steward {
public:
  /// Proposes a command of the directory's own; its place, or why not.
  using propose_function =
      std::function<core::result<core::log_index>(core::cluster_command)>;

  /// Without an identity it does nothing: a node that is in no cluster.
  cluster_steward(broker_context& context, std::optional<node_identity> self,
                  propose_function propose);

  /// `directory` leads and is ready. Looks about once a second.
  void on_tick(const cluster::raft& directory);

private:
  void watch_members(const cluster::raft& directory, core::steady_time now);
  [[nodiscard]] std::optional<core::cluster_command>
  next_command(const cluster::raft& directory) const;
  [[nodiscard]] std::optional<core::node_id>
  gone_for_long(core::node_id self) const;

  broker_context& context_;
  std::optional<node_identity> self_;
  propose_function propose_;
  /// Not to be followed by another one before it is applied.
  core::log_index proposed_;
  core::steady_time looked_{};
  core::term term_;
  /// Since when each member has been heard of the last time, as far as this
  /// leader knows: it begins to count when it begins to lead.
  std::map<core::node_id, core::steady_time> heard_;
};

} // namespace troupe::actors
