// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/group_host.hpp"
#include "actors/linked_attachments.hpp"
#include "actors/linked_groups.hpp"
#include "actors/links/node_links.hpp"
#include "actors/replica_log.hpp"
#include "actors/runtime/runtime_config.hpp"
#include "actors/session_actor.hpp"
#include "actors/snapshot_service.hpp"
#include "core/clock.hpp"
#include "core/directory.hpp"
#include "core/session_event.hpp"
#include "schema/stored_directory.hpp"
#include "storage/log_store.hpp"
#include "storage/state_store.hpp"

#include <caf/actor_system.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::test_support {

/// One client of a linked_broker: the session runs on a loop, the test looks.
class linked_client final : public core::session_link {
public:
  void on_event(core::session_event event) override {
    const std::lock_guard lock{mutex_};
    events_.push_back(std::move(event));
  }
  template <class Event>
  [[nodiscard]] std::vector<Event> all() const {
    const std::lock_guard lock{mutex_};
    std::vector<Event> found;
    for (const auto& event : events_)
      if (const auto* one = std::get_if<Event>(&event))
        found.push_back(*one);
    return found;
  }
  [[nodiscard]] std::vector<std::string> texts() const;
  template <class Command>
  void send(Command command) {
    if constexpr (requires { command.request; })
      command.request = ++requests_;
    tell(std::move(command));
  }

  actors::session_actor actor;

private:
  void tell(core::session_command command);

  mutable std::mutex mutex_;
  std::vector<core::session_event> events_; // guarded by mutex_
  core::request_number requests_ = 0;
};

/// The groups of one node with all that is real: loops, log, tables, spool
/// folder, links over 127.0.0.1. Node 1 founds the cluster.
class linked_broker {
public:
  static constexpr std::uint16_t shards = 2;

  linked_broker(std::uint32_t id, std::filesystem::path folder);
  /// As a kill would: nothing is written any more.
  ~linked_broker();

  [[nodiscard]] actors::broker_context& context() { return *context_; }
  [[nodiscard]] caf::actor_system& system() { return *system_; }
  [[nodiscard]] storage::state_store& state() { return *state_; }
  [[nodiscard]] actors::links::node_links& links() { return *links_; }
  [[nodiscard]] core::node_id id() const { return core::node_id{id_}; }
  [[nodiscard]] const core::directory& directory() const { return *directory_; }
  void meet(linked_broker& other);
  /// A client, which must not outlive this by its own doing.
  std::shared_ptr<linked_client> connect();
  /// What a group says of itself, "" if it does not answer.
  [[nodiscard]] std::string inspect(std::uint16_t group);

private:
  void open_storage();
  void open_actors();
  void end_groups();
  [[nodiscard]] actors::group_deps deps_of(core::group_id group);
  template <class Message>
  void tell(core::group_id group, Message message);

  const std::uint32_t id_;
  const std::filesystem::path folder_;
  core::system_clock clock_;
  storage::cluster_id cluster_;
  std::unique_ptr<storage::state_store> state_;
  std::unique_ptr<storage::log_store> log_;
  std::vector<storage::recovered_group> recovered_;
  std::unique_ptr<actors::stored_log> replica_log_;
  std::unique_ptr<schema::stored_directory> tables_;
  std::unique_ptr<core::directory> directory_;
  std::unique_ptr<actors::broker_context> context_;
  std::vector<std::shared_ptr<linked_client>> clients_;
  std::unique_ptr<actors::linked_attachments> attachments_;
  std::unique_ptr<actors::runtime::runtime_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<actors::snapshot_service> snapshots_;
  std::unique_ptr<actors::links::node_links> links_;
  std::unique_ptr<actors::linked_groups> transport_;
  std::atomic<bool> started_{false};
};

} // namespace troupe::test_support
