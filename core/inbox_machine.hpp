// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/inbox_store.hpp"
#include "core/message.hpp"
#include "core/result.hpp"
#include "core/shard_outcome.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace troupe::core {

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
/// on every replica. A part of the shard_machine, which applies commands in log
/// order; the store must be at the state of the last applied command.
class inbox_machine {
public:
  /// Both must outlive the machine; `observer` may be null.
  inbox_machine(group_id group, inbox_store& store, inbox_observer* observer);

  /// The raw bytes of `at` become the stored body of the message.
  shard_outcome execute(const append_message& c, const shard_context& at);
  shard_outcome execute(const move_cursors& c, const shard_context& at);
  shard_outcome execute(const add_cursor& c, const shard_context& at);
  shard_outcome execute(const remove_cursor& c, const shard_context& at);
  shard_outcome execute(const drop_inbox& c, const shard_context& at);
  shard_outcome execute(const import_inboxes& c, const shard_context& at);
  shard_outcome execute(const set_inbox_policy& c, const shard_context& at);
  shard_outcome execute(const sweep_expired& c, const shard_context& at);

  /// Entries of an inbox; nothing if there is none.
  [[nodiscard]] std::optional<std::uint64_t> count(const owner& inbox) const {
    const auto head = store_.head(inbox);
    if (!head)
      return std::nullopt;
    return head->count;
  }

  [[nodiscard]] const inbox_policy& policy() const noexcept { return policy_; }
  /// The bounds of inboxes of sessions, which are a policy of theirs.
  void bound_sessions(const session_policy& by) { of_sessions_ = by; }

  /// What happens if an inbox gets one more of this weight.
  enum class room : std::uint8_t {
    enough,
    drops_oldest,
    refused,
  };
  [[nodiscard]] room room_in(const owner& inbox, const inbox_head& head,
                             std::uint64_t weight) const;

  /// True if `device` must still get `entry` by its cursor.
  [[nodiscard]] static bool wants(const cursor& device,
                                  const inbox_entry& entry);

  /// True if `device` holds nothing back any more: not seen for longer than
  /// the policy allows, and another device of the user was seen later.
  [[nodiscard]] bool inactive(const inbox_head& head, const cursor& device,
                              timestamp now) const;

private:
  /// Which of the recipients it is, and the ordinal of its message.
  struct recipient_place {
    std::uint32_t index = 0;
    std::uint16_t ordinal = 0;
  };
  /// Appends to one inbox; errc::ok with `appended` false: nobody needs it.
  error append_one(const append_message& c, const inbox_recipient& to,
                   recipient_place place, const shard_context& at,
                   bool& appended);
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
  session_policy of_sessions_;
  std::uint64_t dropped_ = 0; // by the command being applied
};

/// The public id of the message that log entry `index` of `group` brought;
/// `ordinal` tells apart the several messages of one entry.
[[nodiscard]] message_id make_message_id(timestamp accepted, group_id group,
                                         log_index index,
                                         std::uint16_t ordinal) noexcept;

} // namespace troupe::core
