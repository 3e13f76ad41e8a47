// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/inbox_store.hpp"
#include "core/message.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace troupe::core {

/// What became of one applied command.
struct shard_outcome {
  error failure{}; ///< errc::duplicate: applied before, nothing changed
  /// append_message: one for each recipient that did not get it.
  std::vector<error> failures{};
  /// append_message: the id shared by all that is not for a single device; if
  /// everything is, the first recipient's.
  std::optional<message_id> id{};
  /// Messages removed by overflow_policy::drop_oldest.
  std::uint64_t dropped = 0;
  /// sweep_expired: more is due.
  bool more = false;

  friend bool operator==(const shard_outcome&, const shard_outcome&) = default;
};

/// Told what an applied command changed, while it is applied. On the leader
/// this feeds the actors of inboxes that have sessions; elsewhere nobody
/// listens.
class inbox_observer {
public:
  virtual ~inbox_observer() = default;
  /// Asked before a message is put together for on_appended.
  virtual bool observes(const owner& inbox) = 0;
  virtual void on_appended(const owner& inbox, const inbox_entry& entry,
                           message_ptr message) = 0;
  /// Gone without having been acknowledged by every device: taken by another
  /// device (single), expired or dropped.
  virtual void on_removed(const owner& inbox, inbox_position position) = 0;
  virtual void on_devices_changed(const owner& inbox,
                                  const inbox_head& head) = 0;
  virtual void on_inbox_dropped(const owner& inbox) = 0;
};

/// The rules of inboxes: one ordered log per owner, one cursor per device.
///
/// An entry stays until no device needs it: every device's cursor has passed
/// it, or it is for a single device and one has acknowledged it, or its time
/// to live has ended. Deterministic: the same commands give the same tables
/// on every replica. Owned by the shard's actor, which applies commands in log
/// order; the store must be at the state of the last applied command.
class inbox_machine {
public:
  /// Both must outlive the machine; `observer` may be null.
  inbox_machine(group_id group, inbox_store& store, inbox_observer* observer);

  /// Applies one command. `raw` are its bytes as they stand in the log; they
  /// become the stored body of the message.
  shard_outcome apply(log_index index, const logged_shard_command& command,
                      const shared_bytes& raw);

  [[nodiscard]] const inbox_policy& policy() const noexcept { return policy_; }

  /// True if `device` must still get `entry` by its cursor.
  [[nodiscard]] static bool wants(const cursor& device,
                                  const inbox_entry& entry);

  /// True if `device` holds nothing back any more: not seen for longer than
  /// the policy allows, and another device of the user was seen later.
  [[nodiscard]] bool inactive(const inbox_head& head, const cursor& device,
                              timestamp now) const;

private:
  struct context {
    log_index index;
    timestamp now{};
    const shared_bytes& raw;
  };

  shard_outcome execute(const append_message& c, const context& at);
  shard_outcome execute(const move_cursors& c, const context& at);
  shard_outcome execute(const add_cursor& c, const context& at);
  shard_outcome execute(const remove_cursor& c, const context& at);
  shard_outcome execute(const drop_inbox& c, const context& at);
  shard_outcome execute(const import_inboxes& c, const context& at);
  shard_outcome execute(const set_inbox_policy& c, const context& at);
  shard_outcome execute(const sweep_expired& c, const context& at);

  /// Appends to one inbox; errc::ok with `appended` false: nobody needs it.
  error append_one(const append_message& c, const inbox_recipient& to,
                   std::uint16_t ordinal, const context& at, bool& appended);
  error make_room(const owner& inbox, inbox_head& head, std::uint32_t weight,
                  timestamp now);
  bool move_one(const cursor_update& update, timestamp now);
  void forget_singles(const owner& inbox, inbox_head& head, cursor& device,
                      inbox_position up_to);
  /// Before an entry is removed that somebody has not acknowledged.
  static void note_loss(inbox_head& head, const inbox_entry& entry);
  void remove_entry(inbox_head& head, const inbox_entry& entry);
  /// Removes entries from the front that no device needs any more.
  void trim(inbox_head& head, timestamp now);
  [[nodiscard]] bool needed(const inbox_head& head, const inbox_entry& entry,
                            timestamp now) const;
  [[nodiscard]] bool suspended(const inbox_head& head, timestamp now) const;

  group_id group_;
  inbox_store& store_;
  inbox_observer* observer_;
  inbox_policy policy_;
  std::uint64_t dropped_ = 0; // by the command being applied
};

/// The public id of the message that log entry `index` of `group` brought;
/// `ordinal` tells apart the several messages of one entry.
[[nodiscard]] message_id make_message_id(timestamp accepted, group_id group,
                                         log_index index,
                                         std::uint16_t ordinal) noexcept;

} // namespace troupe::core
