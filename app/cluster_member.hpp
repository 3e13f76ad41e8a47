// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster_steward.hpp"
#include "actors/context.hpp"
#include "actors/join_words.hpp"
#include "actors/keys/linked_keys.hpp"
#include "actors/linked_attachments.hpp"
#include "actors/linked_groups.hpp"
#include "actors/links/node_links.hpp"
#include "actors/names/linked_names.hpp"
#include "actors/snapshot_service.hpp"
#include "actors/topics/linked_topics.hpp"
#include "app/cluster_options.hpp"
#include "app/node_relay.hpp"
#include "core/result.hpp"
#include "storage/cluster_id.hpp"
#include "storage/file_system.hpp"
#include "storage/state_store.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::app {

/// A node's part in a cluster: the links to the others, the groups' frames and
/// snapshots over them, and the actor that follows the table of nodes. Owned
/// by the broker; made after the actor system and before the groups' actors,
/// stopped when those have ended, destroyed before the system.
class cluster_member {
public:
  struct surroundings {
    caf::actor_system& system;
    actors::broker_context& context;
    std::shared_ptr<actors::topics::topic_router> topics;
    storage::file_system& files;
    storage::state_store& tables;
    std::filesystem::path spool;
    storage::cluster_id cluster;
    /// Without its address, which follows from the options.
    actors::node_identity self;
    /// For a group of this node: a frame on a loop; work from the spool's
    /// thread.
    actors::linked_groups::deliver_function deliver;
    actors::snapshot_storage::poster run;
    log_line log;
    /// This node gives its clients to others from now on, or not any more.
    std::function<void(bool)> on_draining;
    /// This node was removed from its cluster.
    std::function<void(core::error)> on_removed;
  };

  /// Makes an actor system possible that can have links; before it is made.
  static core::result<void> prepare(caf::actor_system_config& config,
                                    const cluster_options& options);
  /// Listens from now on, speaks after start(). in_use, io_error,
  /// invalid_config.
  static core::result<std::unique_ptr<cluster_member>>
  open(const cluster_options& options, surroundings around);
  ~cluster_member();
  cluster_member(const cluster_member&) = delete;
  cluster_member& operator=(const cluster_member&) = delete;

  /// For the groups' actors, which are made after this and end before it.
  [[nodiscard]] actors::group_transport& transport() { return transport_; }
  [[nodiscard]] actors::snapshot_storage& snapshots() {
    return snapshots_->storage();
  }
  /// Sessions on inboxes of other nodes. Proxies look at it until they are
  /// gone: to be kept until the actor system is.
  [[nodiscard]] std::shared_ptr<const void> attachments() const {
    return attachments_;
  }
  /// For the actors of keys, which end before this.
  [[nodiscard]] actors::keys::keys_transport& keys() { return keys_; }
  /// See linked_topics::settle(). Any thread.
  void settle_topics(std::function<void(bool)> done) {
    topics_.settle(std::move(done));
  }
  /// What the founder enters into the directory.
  [[nodiscard]] const actors::node_identity& self() const { return self_; }

  /// The groups' actors are there. `introduced`: whom to talk to until the
  /// directory has arrived.
  void start(std::vector<actors::known_peer> introduced);
  /// The groups' actors have ended: nothing is delivered or posted any more.
  /// Blocks, a few seconds at most.
  void stop();

  /// Has all nodes give groups to their preferred leaders now.
  void balance_leaders();

  [[nodiscard]] actors::links::node_links& links() { return *links_; }
  [[nodiscard]] node_relay& relay() { return relay_; }
  [[nodiscard]] const actors::topics::linked_topics& topics() const {
    return topics_;
  }
  [[nodiscard]] const actors::links::node_links& links() const {
    return *links_;
  }
  /// What this node has of a group that it shall keep.
  enum class group_part : std::uint8_t { none, kept, behind, leaderless };
  [[nodiscard]] group_part part_in(core::group_id group) const;
  /// Why the node does not serve its part of the cluster just now.
  void add_not_ready(std::vector<std::string>& reasons) const;

private:
  cluster_member(surroundings around,
                 std::unique_ptr<actors::links::node_links> links);
  void pass_all_loops();

  surroundings around_;
  actors::node_identity self_;
  std::unique_ptr<actors::links::node_links> links_;
  node_relay relay_;
  actors::linked_groups transport_;
  std::shared_ptr<actors::linked_attachments> attachments_;
  actors::names::linked_names names_;
  actors::topics::linked_topics topics_;
  actors::keys::linked_keys keys_;
  std::unique_ptr<actors::snapshot_service> snapshots_;
  bool stopped_ = false;
};

} // namespace troupe::app
