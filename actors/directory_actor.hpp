// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster_steward.hpp"
#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"
#include "actors/replicated_group.hpp"
#include "core/directory_machine.hpp"
#include "core/directory_store.hpp"
#include "core/route_table.hpp"

#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::actors {

struct directory_deps {
  broker_context* context = nullptr;
  group_deps group;
  /// Tables of the directory; outlives the actor.
  core::directory_store* store = nullptr;
  /// What is entered if this node is the first of a cluster.
  std::optional<node_identity> identity{};
  /// Kept in step with the tables' routes; outlives the actor. Null: nobody
  /// matches publications here.
  core::route_table* routes = nullptr;
};

/// Owner: the node, from start to stop; without it nobody can register or edit
/// lists, logins and posts go on. Mailbox: bounded by what sessions may have
/// under way. Waits for: log_persisted, state_committed, its ticks.
struct directory_state {
  static inline const char* name = "directory";
  using pointer = directory_actor::stateful_pointer<directory_state>;

  explicit directory_state(pointer ptr);
  [[nodiscard]] std::string path() const { return "directory"; }

  void start(directory_deps deps);
  void propose(directory_proposals& batch);
  void expand(expand_list& question);
  void passivate(const passivate_list& request);
  void on_frame(group_frame& frame);
  void on_task(const group_task& task);
  void on_persisted(std::uint64_t write);
  void on_state_committed(core::log_index applied);
  void on_raft_tick(std::uint32_t number);
  void on_flush_tick();
  void begin_retirement();
  [[nodiscard]] std::string describe() const;
  /// Asks the list's actor too, if there is one.
  caf::typed_response_promise<std::string>
  inspect_one(const inspect_list& which);

private:
  [[nodiscard]] std::string describe_list(const inspect_list& which,
                                          std::string_view live) const;
  using list_name = std::pair<std::string, std::string>; // realm, list
  struct slot {
    list_actor actor;
    std::uint64_t uses = 0;
  };

  core::directory_outcome apply(core::log_index index,
                                const core::shared_bytes& raw);
  /// Tells the actors of lists that the command may have touched, and the
  /// sessions if it was about rights.
  void tell_changes(const core::directory_command& command);
  void tell_rights();
  void tell_all_lists();
  void settle();
  void make_machine(core::log_index applied);
  void note_leader();

  pointer self_;
  broker_context* context_ = nullptr;
  core::directory_store* store_ = nullptr;
  core::route_table* routes_ = nullptr;
  std::unique_ptr<core::directory_machine> machine_;
  std::unique_ptr<replicated_group<directory_client, directory_answers>> group_;
  std::optional<cluster_steward> steward_;
  std::map<list_name, slot> lists_;
  bool flush_pending_ = false;
};

directory_actor::behavior_type directory_behavior(directory_state::pointer self,
                                                  directory_deps deps);

} // namespace troupe::actors
