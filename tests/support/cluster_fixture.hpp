// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attachment_table.hpp"
#include "actors/cluster_steward.hpp"
#include "actors/context.hpp"
#include "actors/messages.hpp"
#include "actors/snapshot_storage.hpp"
#include "cluster/raft_types.hpp"
#include "core/route_table.hpp"
#include "schema/stored_directory.hpp"
#include "tests/support/deterministic_system.hpp"
#include "tests/support/instant_log.hpp"
#include "tests/support/memory_state_space.hpp"
#include "tests/support/sim_links.hpp"
#include "tests/support/sim_network.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_client.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::test_support {

/// A node of a cluster in one process: its disk, and, while it is up, its
/// actors.
struct cluster_node final : actors::group_tables {
  core::node_id id;
  /// Life of the disk of snapshots.
  test::temporary_folder folder;
  instant_log log;
  std::vector<std::unique_ptr<test::memory_state_space>> spaces;
  std::unique_ptr<schema::stored_directory> tables;
  core::route_table routes;
  std::unique_ptr<core::directory> directory;
  /// Of all its lives; actors may look at one until the system is gone.
  std::vector<std::unique_ptr<actors::broker_context>> contexts;
  std::vector<std::unique_ptr<actors::attachment_table>> tables_of_sessions;
  /// Storage of snapshots, one a life, and its work that waits.
  struct snapshots {
    std::unique_ptr<storage::snapshot_spool> spool;
    std::unique_ptr<actors::snapshot_storage> storage;
  };
  std::vector<snapshots> lives;
  std::deque<std::function<void()>> work;
  bool up = false;
  /// Called when contents were installed, before anybody is told.
  std::function<void()> on_import = [] {};

  core::result<core::log_index>
  export_group(core::group_id group,
               const storage::snapshot_spool::row_visitor& visit) override;
  core::result<void>
  import_group(core::group_id group, core::log_index applied,
               const storage::state_store::row_supply& next) override;
  [[nodiscard]] actors::broker_context& context() { return *contexts.back(); }
};

/// Several nodes' directory and shards on the test's thread, in virtual time,
/// with disks in memory and a network that does what the test wants. Clients
/// are counted commands: what was acknowledged must be there at the end.
class cluster_fixture : public testing::Test {
protected:
  explicit cluster_fixture(std::uint64_t seed = 1);
  ~cluster_fixture() override;

  struct settings {
    std::uint32_t nodes = 3;
    /// Nodes that are members of every group from the start.
    std::uint32_t founders = 3;
    std::uint16_t shards = 2;
    cluster::raft_options raft;
    /// The tables become durable this often.
    core::milliseconds commit_interval{50};
    std::function<void(actors::broker_options&)> adjust;
    /// Decides which nodes campaign first.
    std::uint64_t seed = 0;
    /// The first node enters itself, and the directory places the groups.
    bool stewards = false;
  };
  void start(settings with);

  [[nodiscard]] cluster_node& node(std::uint32_t id) { return *nodes_[id - 1]; }
  void start_node(std::uint32_t id);
  /// Ends at once; what was not flushed is lost.
  void crash(std::uint32_t id);
  /// Loses its disk, too.
  void wipe(std::uint32_t id);

  /// Ends as on a signal; false if it does not within ten seconds.
  bool stop(std::uint32_t id);

  /// A command for the directory, sent to whoever leads it until it is
  /// answered.
  core::directory_outcome change_cluster(core::cluster_command change);
  /// One more node, admitted and started. Returns its id.
  std::uint32_t add_node();
  /// Members of a group as its leader sees them.
  [[nodiscard]] std::set<std::uint32_t> voters_of(std::uint16_t group);
  /// Waits until every group has as many voters as the table says, and a
  /// leader.
  bool wait_for_voters(std::size_t shards, std::size_t directory);

  /// Runs until nobody has anything to do now.
  void settle();
  /// Lets time pass in steps of 10 ms.
  void advance(core::milliseconds by);
  /// Lets time pass until `condition`; false if it does not within `limit`.
  bool wait_until(const std::function<bool()>& condition,
                  core::milliseconds limit = core::milliseconds{20'000});

  /// The node that leads `group` now, 0 if none or two nodes think so.
  [[nodiscard]] std::uint32_t leader_of(std::uint16_t group);
  bool wait_for_leaders();
  /// What a replica says of itself.
  [[nodiscard]] std::string inspect(std::uint32_t node, std::uint16_t group);

  /// A post to an inbox of `group`, through node `at`, under a key of its own;
  /// it is sent again there, or to who leads now, until it is acknowledged.
  /// Returns its number.
  std::uint64_t post(std::uint16_t group, std::uint32_t at,
                     std::size_t padding = 0);
  /// A client connected to a node, not logged in.
  test_client& connect(std::uint32_t at);
  /// Closes the session as its connection would.
  static void close(test_client& client);
  /// A post that is sent once; its answer.
  actors::shard_answer ask_to_post(std::uint16_t group, std::uint32_t at,
                                   core::idempotency_key key = {});
  /// The newest one that came for such a post.
  [[nodiscard]] actors::shard_answer last_answer() const {
    return others_.empty() ? actors::shard_answer{} : others_.rbegin()->second;
  }
  /// Numbers of all posts that were acknowledged so far.
  [[nodiscard]] const std::set<std::uint64_t>& acknowledged() const {
    return acknowledged_;
  }
  [[nodiscard]] std::size_t unanswered() const { return under_way_.size(); }
  /// Sends what is unanswered again, to whoever leads.
  void retry_posts();

  /// Fails the test unless all of `ids` have the same tables, and in them every
  /// acknowledged post exactly once.
  void expect_same_tables(const std::vector<std::uint32_t>& ids);
  void expect_same_tables_of(std::uint16_t group,
                             const std::vector<std::uint32_t>& ids);

  /// The tables without the rows that belong to the replica.
  [[nodiscard]] static test::memory_state_space::contents
  exported(const test::memory_state_space& space);

  /// While false, snapshots do not reach any disk.
  bool disks_work_ = true;
  sim_network network_;
  sim_links links_{network_};
  std::vector<std::unique_ptr<cluster_node>> nodes_;
  settings settings_;
  deterministic_system system_;

private:
  /// Clients of a node that dies lose their connections.
  void drop_clients(std::uint32_t at);
  struct client_post {
    std::uint16_t group = 0;
    core::idempotency_key key;
    std::size_t padding = 0;
  };
  struct answer_box {
    std::vector<actors::shard_answer> answers;
    std::vector<actors::directory_answer> directory;
  };

  std::uint32_t make_node();
  [[nodiscard]] std::optional<actors::node_identity>
  identity_of(const cluster_node& node) const;
  void kill(cluster_node& node);
  void open_snapshots(cluster_node& node);
  std::size_t work_disks();
  void commit_tables();
  void send_post(std::uint64_t number, const client_post& post,
                 std::uint32_t at);
  void collect_answers();

  core::milliseconds since_commit_{0};
  std::uint64_t last_post_ = 0;
  std::map<std::uint64_t, client_post> under_way_;
  std::set<std::uint64_t> acknowledged_;
  std::map<std::uint64_t, std::uint16_t> group_of_post_;
  std::map<std::uint64_t, actors::shard_answer> others_;
  std::vector<std::unique_ptr<test_client>> clients_;
  std::shared_ptr<answer_box> answers_ = std::make_shared<answer_box>();
  actors::shard_client client_;
  actors::directory_client directory_client_;
  std::uint64_t last_change_ = 0;
};

} // namespace troupe::test_support
