// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/group_steward.hpp"
#include "actors/group_transport.hpp"
#include "actors/replica.hpp"
#include "actors/snapshot_transfer.hpp"
#include "core/ids.hpp"
#include "core/json_text.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace troupe::actors {

struct group_frame;
struct group_task;

/// Timers of the actor that owns a group; each sends a message to itself.
struct group_timers {
  /// raft_tick with this number after this long. Earlier ones that are still
  /// under way are of no account.
  std::function<void(core::milliseconds, std::uint32_t number)> tick;
  /// flush_tick soon: something waits for room in the log. May be asked for
  /// again before it came.
  std::function<void()> flush;
};

/// Surroundings of a group; all of it outlives the group's actor.
struct group_deps {
  replica_deps replica;
  /// Null on a node without a cluster.
  group_transport* transport = nullptr;
  /// Null: followers that lack what the log has dropped are not caught up.
  snapshot_storage* snapshots = nullptr;
};

/// What all replicated groups have in common, whatever they replicate: the
/// replica with its messages, its clock, its storage events and its end. No
/// actor: owned by the state of one, which calls it on its loop only and gives
/// it the messages of the same names. See replicated_group for what clients
/// ask.
class group_host : private replica_host {
public:
  /// Called with errc::ok when a read may look at the tables, or else with
  /// why not: not_leader, unavailable, overloaded.
  using read_function = std::function<void(core::errc)>;

  /// `name` is for people: "shard 3". `context` outlives this.
  group_host(std::string name, broker_context& context, group_deps deps,
             group_timers timers);
  ~group_host() override = default;
  group_host(const group_host&) = delete;
  group_host& operator=(const group_host&) = delete;

  /// Once; may already apply what the log holds. Call settle() behind it, as
  /// behind every event below.
  void start();

  void on_frame(group_frame& frame);
  static void on_task(const group_task& task);
  void on_persisted(std::uint64_t write) { replica_.persisted(write); }
  void on_state_committed(core::log_index applied) {
    replica_.committed_state(applied);
  }
  /// Also sets the next timer.
  void on_tick(std::uint32_t number);

  /// Lets the consensus core work: writes, sends, applies, and notices when it
  /// was deposed or has become ready. Ends the process if the core says that
  /// an invariant is broken.
  virtual void settle();

  /// `then` runs when everything that was acknowledged before this call is in
  /// the tables here (a linearizable read), or with an error. Not before
  /// settle(). Pending ones fail when leadership is lost.
  void read(read_function then);

  /// The group ends when it is quiet().
  void begin_retirement();
  [[nodiscard]] bool retiring() const { return retiring_; }
  /// All that was begun is written and answered.
  [[nodiscard]] virtual bool quiet() const { return replica_.quiet(); }
  /// Somebody else leads, or nobody else can: asks the best follower to, and
  /// is false while that may still happen. REQUIRES: quiet().
  bool handed_over();
  /// Tells the node. The actor quits then.
  void report_retired();

  [[nodiscard]] core::group_id group() const { return group_; }
  [[nodiscard]] bool leads() const { return replica_.leads(); }
  /// Leads and has applied all that was in the log when it began to.
  [[nodiscard]] bool ready() const { return replica_.ready(); }
  /// Who leads the group as far as is known here, 0 if unknown.
  [[nodiscard]] core::node_id leader() const {
    return replica_.consensus().leader();
  }
  /// The leader, or who says to lead, or who shall; 0 if nothing is known.
  [[nodiscard]] core::node_id leader_hint() const;
  /// This node keeps no replica of the group: others know who leads it.
  [[nodiscard]] bool guest() const;
  [[nodiscard]] bool storage_is_low() const {
    return replica_.storage_is_low();
  }
  /// The time that a command proposed now would bear.
  [[nodiscard]] core::timestamp next_time() const {
    return replica_.next_time();
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const cluster::raft& consensus() const {
    return replica_.consensus();
  }

  /// Members leads, ready, those of the core, and what is known of the other
  /// members, for the debug endpoint.
  void describe(core::json_writer& out) const;

protected:
  /// Does not lead any more: nobody will hear of what it has proposed.
  virtual void on_deposed() = 0;
  /// The tables hold the contents of another replica: whatever was read from
  /// them is outdated.
  virtual void on_replaced() = 0;
  /// A frame of kind proposals or answers; false if it is unusable.
  virtual bool on_client_frame(group_frame& frame) = 0;

  [[nodiscard]] replica& replicated() { return replica_; }
  [[nodiscard]] const replica& replicated() const { return replica_; }
  [[nodiscard]] broker_context& context() const { return context_; }
  void ask_for_flush() { timers_.flush(); }
  /// There are other nodes.
  [[nodiscard]] bool clustered() const { return transport_ != nullptr; }
  /// Counts it, sent or not. REQUIRES: clustered().
  bool send_frame(core::node_id to, group_frame_kind kind,
                  core::shared_bytes bytes);
  /// Ascends from a random number, so that no answer to an earlier life of
  /// this node is taken for one to this.
  [[nodiscard]] std::uint64_t fresh_number() { return ++last_number_; }

private:
  [[nodiscard]] bool serves() const;
  [[nodiscard]] core::milliseconds until_tick() const;
  [[nodiscard]] core::milliseconds until_common(core::milliseconds) const;
  void ask_for_tick();
  void show_role();
  void show_lag();
  void send(core::node_id to, const cluster::message& message) override;
  void on_read(const cluster::read_answer& answer) override;
  void send_snapshot(const cluster::snapshot_send& order) override;
  void install(const cluster::snapshot_meta& meta) override;
  void on_leadership() override;
  void on_commit_time(std::chrono::nanoseconds taken) override;
  bool on_raft_frame(core::node_id from, core::shared_bytes bytes);
  void tell_stranger(core::node_id who);
  bool on_not_member(const core::shared_bytes& bytes);
  bool on_snapshot_frame(group_frame& frame);

  std::string name_;
  broker_context& context_;
  core::group_id group_;
  group_transport* transport_;
  group_timers timers_;
  replica replica_;
  snapshot_surroundings around_;
  std::map<core::node_id, std::unique_ptr<snapshot_sender>> senders_;
  snapshot_receiver receiver_;
  group_steward steward_;
  std::optional<core::steady_time> hand_over_until_;
  std::map<core::node_id, core::steady_time> beats_;
  std::map<std::uint64_t, read_function> reads_;
  std::uint64_t last_read_ = 0;
  std::uint64_t last_number_;
  std::uint32_t last_tick_ = 0;
  bool led_ = false;
  /// Was removed from the group and has been told so: it does not try to be
  /// elected any more, until somebody leads it again.
  bool dismissed_ = false;
  bool counted_ready_ = false;
  bool retiring_ = false;
};

} // namespace troupe::actors
