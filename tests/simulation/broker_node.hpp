// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/outcome_memory.hpp"
#include "actors/replica.hpp"
#include "cluster/raft.hpp"
#include "core/clock.hpp"
#include "core/directory_machine.hpp"
#include "core/shard_machine.hpp"
#include "schema/stored_directory.hpp"
#include "schema/stored_inboxes.hpp"
#include "schema/stored_keys.hpp"
#include "schema/stored_sessions.hpp"
#include "tests/simulation/broker_log.hpp"
#include "tests/simulation/object_models.hpp"
#include "tests/support/memory_state_space.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe::cluster::simulation {

/// What the simulated host does wrong on purpose, so that it can be shown that
/// the checks notice.
enum class broker_mutation : std::uint8_t {
  none,
  reads_unconfirmed,        ///< a leader answers reads without asking anybody
  reads_anywhere,           ///< and so does everybody else
  duplicates_applied,       ///< idempotency keys are not looked at
  snapshot_without_origins, ///< a snapshot forgets what was applied
  origins_end_by_clock,     ///< as does a sweep, if the clock says so
  unknown_taken_for_done,   ///< a repeated command counts as done
  answer_when_proposed,     ///< acknowledged before it is agreed upon
};

/// The groups of each node: the directory and one data shard.
inline constexpr std::uint16_t broker_groups = 2;
inline constexpr core::group_id data_shard{1};

/// What became of a command of either group.
struct broker_outcome {
  core::error failure;
  core::shard_outcome shard;
  core::directory_outcome directory;
  key_model::output key;
};

using observation = std::variant<std::monostate, key_model::output,
                                 inbox_model::output, realm_model::output>;

class broker_group;

/// What a client asks one node.
struct broker_request {
  std::uint32_t client = 0;
  std::uint64_t operation = 0;
  core::group_id group;
  core::shared_bytes command; ///< empty: a read
  std::function<observation(const broker_group&)> read;
};

struct broker_answer {
  std::uint32_t client = 0;
  std::uint64_t operation = 0;
  core::errc refusal = core::errc::ok; ///< not_leader, …: ask again
  core::node_id leader;
  broker_outcome outcome;
  observation seen;
};

/// A message from one replica to another; a snapshot travels with its contents.
struct broker_packet {
  core::node_id from;
  core::node_id to;
  core::group_id group;
  core::shared_bytes frame;
  std::optional<test::memory_state_space::contents> contents;
};

/// A put or compare_and_set of a key: there is no state machine for keys yet,
/// so it travels as a message to nobody and is applied behind it, if the
/// message was: on the same path, under the same idempotency key.
struct key_command {
  std::string key;
  key_model::input input;
};
[[nodiscard]] core::append_message wrap(const key_command& command);

/// What a node needs of the world around it.
class broker_surroundings {
public:
  virtual ~broker_surroundings() = default;
  virtual void transmit(broker_packet packet) = 0;
  virtual void reply(broker_answer answer) = 0;
  virtual void applied(const broker_group& by, const committed_entry& command,
                       const core::idempotency_key& key,
                       const broker_outcome& outcome) = 0;
  virtual void broken(std::string what) = 0;
  /// An entry with a time to live was removed at `now`.
  virtual void removed(core::inbox_position position, core::timestamp now) = 0;
  virtual void appended(const core::inbox_entry& entry) = 0;
  virtual std::uint64_t random() = 0;
  [[nodiscard]] virtual broker_mutation mutation() const = 0;
};

/// The inbox whose messages have a time to live.
inline constexpr const char* passing_inbox = "passing";

/// One replica of one group as the actors host it (replicated_group.hpp), with
/// its tables: the real consensus core, replica, state machines and records.
class broker_group final : public actors::replica_host,
                           public core::inbox_observer {
public:
  broker_group(core::node_id node, core::group_id group,
               const core::clock& clock, broker_log& log,
               broker_surroundings& around);

  void start(const raft_options& options,
             const std::optional<configuration>& founding,
             storage::recovered_group recovered, std::uint64_t seed);
  void crash();

  [[nodiscard]] core::node_id node() const { return node_; }
  [[nodiscard]] core::group_id group() const { return group_; }
  [[nodiscard]] actors::replica& host() { return *replica_; }
  [[nodiscard]] raft& consensus() { return replica_->consensus(); }
  [[nodiscard]] const raft& consensus() const { return replica_->consensus(); }
  [[nodiscard]] bool leads() const { return replica_->leads(); }

  void receive(const broker_packet& packet);
  void take(const broker_request& request);
  /// The leader's own command: removes what has expired.
  void sweep();
  /// The tables so far are on disk.
  void commit_state();
  void send_snapshot_now(core::node_id to);
  [[nodiscard]] bool wants_install() const { return install_.has_value(); }
  void finish_install(bool success);
  /// Receivers that a snapshot was ordered for.
  [[nodiscard]] std::vector<core::node_id> take_orders();
  /// Sends what the last event made ready.
  void settle();

  // ----- reads, by clients and by the test
  [[nodiscard]] key_model::output read_key(const std::string& key) const;
  [[nodiscard]] inbox_model::output read_inbox(const std::string& name,
                                               std::uint8_t device) const;
  [[nodiscard]] realm_model::output
  read_realm(const std::string& realm, const realm_model::input& what) const;
  /// The rows that depend on the log alone.
  [[nodiscard]] test::memory_state_space::contents contents() const;

  // ----- actors::replica_host
  void apply(const committed_entry& entry) override;
  void send(core::node_id to, const message& m) override;
  void on_read(const read_answer& answer) override;
  void send_snapshot(const snapshot_send& order) override;
  void install(const snapshot_meta& meta) override;
  void on_leadership() override;
  void on_commit_time(std::chrono::nanoseconds) override {}

  // ----- core::inbox_observer
  bool observes(const core::owner&) override { return true; }
  void on_appended(const core::owner& inbox, const core::inbox_entry& entry,
                   core::message_ptr message) override;
  void on_removed(const core::owner& inbox,
                  core::inbox_position position) override;
  void on_devices_changed(const core::owner&,
                          const core::inbox_head&) override {}
  void on_inbox_dropped(const core::owner&) override {}

private:
  struct asker {
    std::uint32_t client = 0;
    std::uint64_t operation = 0;
  };
  struct pending {
    core::log_index index;
    core::term term;
    asker from;
  };
  void refuse(const broker_request& request, core::errc why);
  void make_machines();
  broker_outcome execute(const committed_entry& entry,
                         const core::idempotency_key& key);
  void execute_key(const core::append_message& carrier,
                   key_model::output& output);
  void answer_read(const broker_request& request);
  void forget_origins();

  const core::node_id node_;
  const core::group_id group_;
  const core::clock& clock_;
  broker_log& log_;
  broker_surroundings& around_;
  test::memory_state_space space_; // its committed part survives a crash

  schema::stored_directory directory_{space_};
  schema::stored_inboxes inboxes_{space_};
  schema::stored_keys keys_{space_};
  schema::stored_sessions sessions_{space_};
  std::optional<core::directory_machine> directory_machine_;
  std::optional<core::shard_machine> shard_machine_;
  std::unique_ptr<actors::replica> replica_;
  std::deque<pending> pending_;
  std::map<std::uint64_t, broker_request> reads_;
  std::uint64_t last_read_ = 0;
  actors::outcome_memory<broker_outcome> outcomes_{4096};
  std::vector<core::node_id> orders_;
  std::optional<test::memory_state_space::contents> staged_;
  std::optional<snapshot_meta> staged_meta_;
  std::optional<snapshot_meta> install_;
  core::timestamp applying_{};
  bool led_ = false;
};

} // namespace troupe::cluster::simulation
