// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/replica.hpp"
#include "core/ids.hpp"
#include "core/json_text.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe::actors {

/// Timers of the actor that owns a group; each sends a message to itself.
struct group_timers {
  /// raft_tick after this long. One is under way at any time.
  std::function<void(core::milliseconds)> tick;
  /// flush_tick soon: something waits for room in the log. May be asked for
  /// again before it came.
  std::function<void()> flush;
};

/// What all replicated groups have in common, whatever they replicate: the
/// replica, its clock, its storage events and its end. No actor: owned by the
/// state of one, which calls it on its loop only and gives it the messages of
/// the same names. See replicated_group for what clients ask.
class group_host {
public:
  /// `name` is for people: "shard 3". `context` outlives this.
  group_host(std::string name, broker_context& context, replica_deps deps,
             group_timers timers);
  virtual ~group_host() = default;
  group_host(const group_host&) = delete;
  group_host& operator=(const group_host&) = delete;

  /// Once; may already apply what the log holds. Call settle() behind it.
  void start();

  void on_persisted(std::uint64_t write) { replica_->persisted(write); }
  void on_state_committed(core::log_index applied) {
    replica_->committed_state(applied);
  }
  /// Also sets the next timer.
  void on_tick();

  /// Lets the consensus core work: writes, applies, and notices when it was
  /// deposed or has become ready. Ends the process if the core says that an
  /// invariant is broken. To be called after every event.
  virtual void settle();

  /// Accepts nothing new that could wait for ever; see has_ended().
  void begin_retirement() { retiring_ = true; }
  [[nodiscard]] bool retiring() const { return retiring_; }
  /// All that was begun is written and answered.
  [[nodiscard]] virtual bool quiet() const { return replica_->quiet(); }
  /// Tells the node. The actor quits then.
  void report_retired();

  [[nodiscard]] core::group_id group() const { return group_; }
  [[nodiscard]] bool leads() const { return replica_->leads(); }
  /// Leads and has applied all that was in the log when it began to.
  [[nodiscard]] bool ready() const { return replica_->ready(); }
  [[nodiscard]] bool storage_is_low() const {
    return replica_->storage_is_low();
  }
  /// The time that a command proposed now would bear.
  [[nodiscard]] core::timestamp next_time() const {
    return replica_->next_time();
  }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// Members leads, ready and those of the replica, for the debug endpoint.
  void describe(core::json_writer& out) const;

protected:
  /// A command was agreed upon.
  virtual void apply(const cluster::committed_entry& command) = 0;
  /// Does not lead any more: nobody will hear of what it has proposed.
  virtual void on_deposed() = 0;

  [[nodiscard]] replica& consensus() { return *replica_; }
  [[nodiscard]] const replica& consensus() const { return *replica_; }
  [[nodiscard]] broker_context& context() const { return context_; }
  void ask_for_flush() { timers_.flush(); }

private:
  std::string name_;
  broker_context& context_;
  core::group_id group_;
  group_timers timers_;
  std::unique_ptr<replica> replica_;
  bool counted_ready_ = false;
  bool retiring_ = false;
};

} // namespace troupe::actors
