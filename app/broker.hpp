// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/channels/channel_host.hpp"
#include "actors/context.hpp"
#include "actors/group_host.hpp"
#include "actors/replica_log.hpp"
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"
#include "actors/topics/topic_router.hpp"
#include "app/cluster_entry.hpp"
#include "app/cluster_member.hpp"
#include "app/cluster_options.hpp"
#include "core/authorizer.hpp"
#include "core/clock.hpp"
#include "core/directory.hpp"
#include "core/result.hpp"
#include "core/route_table.hpp"
#include "core/share_policy.hpp"
#include "storage/data_folder.hpp"
#include "storage/file_system.hpp"
#include "storage/log_store.hpp"
#include "storage/state_store.hpp"

#include <caf/actor_system.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::schema {
class stored_directory;
} // namespace troupe::schema

namespace troupe::app {

struct broker_settings {
  std::filesystem::path data;
  std::size_t loops = 1;
  std::chrono::microseconds spin{0};
  actors::broker_options broker;
  cluster::interest_limits interest;
  core::share_policy shares{}; ///< who has the turn in shared subscriptions
  actors::channels::channel_options channels;
  core::authorizer_options rights;
  std::size_t segment_bytes = std::size_t{64} << 20;
  std::chrono::milliseconds commit_interval{50};
  std::size_t map_bytes = std::size_t{1} << 40;
  std::size_t mapped_bytes_max = std::size_t{256} << 20;
  std::uint64_t quota_bytes = 0;
  std::uint64_t reserve_bytes = std::uint64_t{256} << 20;
  /// Log lines of all layers: level, component, text. Thread-safe.
  std::function<void(std::string_view, std::string_view, std::string_view)> log;
  /// With other nodes; nothing: a node that stays alone.
  std::optional<cluster_options> cluster{};
  /// For what waits before the node begins.
  pause_function pause = [](std::chrono::milliseconds) { return false; };
  /// The node can't go on. Thread-safe.
  /// This node gives its clients to others from now on, or not any more. On a
  /// loop.
  std::function<void(bool)> draining = [](bool) {};
  /// It was removed from its cluster for good, and `failed` follows. On a loop.
  std::function<void()> removed = [] {};
  std::function<void(core::error)> failed = [](core::error) {};
};

/// Everything of a node but its sockets: the data folder, log and tables, the
/// actor system with directory and shards. Opened and stopped on the main
/// thread; the members are for the doors and the admin listener in between.
class broker {
public:
  /// Opens or creates the data folder, recovers, spawns the groups. The node
  /// is usable when ready() says so (at once but for a replay).
  static core::result<std::unique_ptr<broker>> open(broker_settings settings);

  /// Ends the process' part in the folder without ceremony, if stop() was not
  /// called.
  ~broker();
  broker(const broker&) = delete;
  broker& operator=(const broker&) = delete;

  /// Writes all that is pending and ends the actors. No session may be left.
  /// Blocks, at most `patience`; false if something did not end in time.
  bool stop(std::chrono::milliseconds patience);

  [[nodiscard]] actors::broker_context& context() { return *context_; }
  [[nodiscard]] caf::actor_system& system() { return *system_; }
  [[nodiscard]] actors::runtime::scheduler& scheduler();
  [[nodiscard]] const actors::runtime::actor_registry& registry() const;
  [[nodiscard]] std::vector<actors::runtime::loop*> loops();
  [[nodiscard]] const storage::folder_identity& identity() const {
    return *folder_->identity();
  }
  [[nodiscard]] const std::filesystem::path& data_path() const {
    return folder_->path();
  }
  [[nodiscard]] actors::topics::topic_router& topics() { return *topics_; }
  [[nodiscard]] actors::channels::channel_host& channels() {
    return *channels_;
  }
  [[nodiscard]] const core::authorizer& authorizer() const {
    return *authorizer_;
  }
  [[nodiscard]] storage::log_store& log() { return *log_; }
  [[nodiscard]] storage::state_store& state() { return *state_; }
  [[nodiscard]] const core::clock& clock() const { return clock_; }
  /// Null on a node that is alone.
  [[nodiscard]] cluster_member* cluster() { return cluster_.get(); }
  [[nodiscard]] cluster_role role() const { return entry_.role(); }

  /// Blocks until not_ready() is empty, at most `patience`. A long replay or
  /// a slow disk is no failure: the node then starts and says why it waits.
  bool wait_until_serving(std::chrono::milliseconds patience) const;
  /// Why the node does not serve just now; empty: it does.
  [[nodiscard]] std::vector<std::string> not_ready() const;

private:
  explicit broker(broker_settings settings);
  core::result<void> open_folder();
  core::result<void> open_state();
  core::result<void> open_log();
  [[nodiscard]] core::result<void> check_log_is_complete() const;
  core::result<void> confirm_membership();
  core::result<void> start_actors();
  core::result<void> open_cluster();
  void start_groups();
  void start_keys();
  void end_keys(std::chrono::milliseconds patience);
  [[nodiscard]] actors::group_deps deps_of(core::group_id group);
  template <class Message>
  void tell(core::group_id group, Message message);
  void on_durable(std::span<const storage::completion> batch);
  void on_committed(std::span<const storage::durable_point> points);
  void on_retired(core::group_id group);
  void end_channels();

  broker_settings settings_;
  core::system_clock clock_;
  storage::file_system& files_;
  cluster_entry entry_;
  std::unique_ptr<storage::data_folder> folder_;
  std::unique_ptr<storage::state_store> state_;
  std::unique_ptr<storage::log_store> log_;
  std::unique_ptr<actors::stored_log> replica_log_;
  std::vector<storage::recovered_group> recovered_;
  std::unique_ptr<schema::stored_directory> directory_tables_;
  core::route_table routes_;
  std::unique_ptr<core::directory> directory_;
  std::unique_ptr<actors::broker_context> context_;
  std::unique_ptr<core::authorizer> authorizer_;
  std::unique_ptr<actors::channels::channel_host> channels_;
  std::unique_ptr<actors::runtime::runtime_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  /// Sessions have their subscriptions until they are gone: kept until the
  /// actor system is.
  std::shared_ptr<actors::topics::topic_router> topics_;
  std::unique_ptr<cluster_member> cluster_;
  std::atomic<std::size_t> key_actors_{0}; ///< alive
  bool has_log_ = false;

  // Set once the groups' actors exist; read by the storage threads.
  std::atomic<bool> started_{false};
  struct retirement;
  std::unique_ptr<retirement> retirement_;
};

} // namespace troupe::app
