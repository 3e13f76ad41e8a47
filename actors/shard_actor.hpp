// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/keys/key_messages.hpp"
#include "actors/live_inboxes.hpp"
#include "actors/messages.hpp"
#include "actors/names/name_keeper.hpp"
#include "actors/replicated_group.hpp"
#include "actors/session_watch.hpp"
#include "core/shard_machine.hpp"
#include "schema/stored_inboxes.hpp"
#include "schema/stored_keys.hpp"
#include "schema/stored_sessions.hpp"

#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace troupe::actors {

struct shard_deps {
  broker_context* context = nullptr;
  group_deps group;
};

/// Owner: the node, from start to stop. When it dies the node is not usable
/// any more and stops. Mailbox: proposals are bounded by what sessions may
/// have under way and refused with `overloaded` when the log has no room.
/// Waits for: log_persisted, state_committed, its own ticks.
struct shard_state {
  static inline const char* name = "shard";
  using pointer = shard_actor::stateful_pointer<shard_state>;

  explicit shard_state(pointer ptr);
  [[nodiscard]] std::string path() const;

  void start(shard_deps deps);
  void propose(shard_proposals& batch);
  void attach(attach_request& request);
  void gather(cursor_moves& moves);
  void fetch(const fetch_entries& request);
  void read_keys(keys::keys_asked& question);
  void passivate(const passivate_inbox& request);
  void claim_names(names::names_claimed& claims);
  void free_names(const names::names_freed& freed);
  void on_names_cut(const names::names_cut& news);
  void on_frame(group_frame& frame);
  void on_task(const group_task& task);
  void on_persisted(std::uint64_t write);
  void on_state_committed(core::log_index applied);
  void on_raft_tick(std::uint32_t number);
  void on_flush_tick();
  void on_sweep_tick();
  void on_due_tick();
  /// Begins to stop; ends by itself when all is written.
  void begin_retirement();
  /// Lets the core work, then sends what came of it.
  void settle();
  [[nodiscard]] std::string describe() const;
  /// Asks the inbox's actor too, if there is one.
  caf::typed_response_promise<std::string>
  inspect_one(const core::owner& inbox);
  [[nodiscard]] std::string list_sessions(const inspect_sessions& page) const;

private:
  /// `live` is null if no actor has answered.
  [[nodiscard]] std::string describe_inbox(const core::owner& inbox,
                                           const live_inbox* live) const;
  core::shard_outcome apply(core::log_index index,
                            const core::shared_bytes& raw);
  bool propose_own(core::shard_command command, bool grows,
                   core::log_index* index = nullptr);
  void propose_policy_if_changed();
  void continue_sweep();
  void propose_cursors();
  void schedule_flush_tick();
  void accede();
  void release_inboxes();
  /// Whether this node is to answer for the group: ok, or why not.
  [[nodiscard]] core::errc standing() const;
  /// Calls `then` with that once it is sure: a leader that was replaced
  /// without knowing must not answer for the next one.
  void when_sure(std::function<void(core::errc)> then);
  void attach_here(attach_request& request, core::errc why);
  void answer(const keys::keys_asked& question, core::errc why);
  void show_keys();
  void attach_session(attach_request& request);
  void look_at_sessions();
  void look_at_names();
  void refuse(const attach_request& request, core::error why);
  void finish_retirement_if_quiet();

  pointer self_;
  broker_context* context_ = nullptr;
  /// Anew from what the tables hold now.
  void make_machine();

  std::unique_ptr<schema::stored_inboxes> tables_;
  std::unique_ptr<schema::stored_keys> keys_;
  std::unique_ptr<schema::stored_sessions> sessions_;
  std::optional<live_inboxes> inboxes_;
  std::optional<session_watch> watch_;
  std::optional<names::name_keeper> names_;
  std::optional<core::shard_machine> machine_;
  std::unique_ptr<replicated_group<shard_client, shard_answers>> group_;
  std::map<core::log_index, attach_request> attaches_; // wait for a cursor
  actors::accession accession_;                        ///< of this leadership
  bool led_ = false;
  bool acceded_ = false;
  bool flush_pending_ = false;
  bool policy_proposed_ = false;
  bool sweep_again_ = false;
  bool session_policy_proposed_ = false;
  bool sessions_changed_ = false; ///< since they were looked at
  bool session_sweep_ = false;    ///< one is under way for them
  bool due_pending_ = false;
  bool look_pending_ = false;
  std::size_t inboxes_ending_ = 0;
  std::uint64_t applied_since_sweep_ = 0;
  core::steady_time last_full_sweep_{};
};

shard_actor::behavior_type shard_behavior(shard_state::pointer self,
                                          shard_deps deps);

} // namespace troupe::actors
