// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/inbox_actor.hpp"
#include "actors/messages.hpp"
#include "core/inbox_machine.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::actors {

/// The actors of a shard's inboxes, and what is between them and the tables:
/// what was applied to an inbox goes to its actor once a turn, cursors that
/// were moved there wait here for a command. Owned by the shard's state, used
/// on its loop only. Bounded by the devices that are attached.
class live_inboxes final : public core::inbox_observer {
public:
  /// Cursors in one command.
  static constexpr std::size_t moves_per_command = 4096;

  /// Both outlive this.
  live_inboxes(shard_actor::pointer shard, broker_context& context)
      : shard_(shard), context_(context) {}

  /// Hands a session's request to the inbox's actor, which begins to live if
  /// there is none. REQUIRES: not retired.
  void pass_on(attach_request& request, const core::inbox_head& head,
               const accession& since);
  /// False: somebody came meanwhile.
  bool passivate(const passivate_inbox& request);
  /// Null if nobody is attached.
  [[nodiscard]] inbox_actor find(const core::owner& inbox) const;
  [[nodiscard]] std::size_t size() const { return slots_.size(); }

  /// Tells the actors what was applied to their inboxes.
  void send_changes();

  /// Only the newest move of each cursor is kept.
  void gather(cursor_moves& moves);
  /// Offers what was gathered, a command at a time; what is not taken stays,
  /// and all behind it. False if something is left.
  bool offer_moves(const std::function<bool(core::move_cursors)>& take);
  [[nodiscard]] std::size_t moves() const { return moves_.size(); }

  /// Another node delivers from now on. Who waits here is told to go there;
  /// cursors that have not moved yet are moved when it has what is sent again.
  void release();
  /// The shard retires: lets the actors end. Each sends its last moves before
  /// it does; the shard monitors them. How many there were.
  std::size_t retire_all();

  // core::inbox_observer
  bool observes(const core::owner& inbox) override;
  void on_appended(const core::owner& inbox, const core::inbox_entry& entry,
                   core::message_ptr message) override;
  void on_removed(const core::owner& inbox,
                  core::inbox_position position) override;
  void on_devices_changed(const core::owner& inbox,
                          const core::inbox_head& head) override;
  void on_inbox_dropped(const core::owner& inbox) override;

private:
  struct slot {
    inbox_actor actor;
    std::uint64_t attaches = 0; ///< requests passed on so far
    inbox_changes changes;
    bool dirty = false;
  };
  struct owner_hash {
    std::size_t operator()(const core::owner& o) const noexcept;
  };

  slot* find_slot(const core::owner& inbox);
  slot& changed_slot(const core::owner& inbox);

  shard_actor::pointer shard_;
  broker_context& context_;
  std::unordered_map<core::owner, slot, owner_hash> slots_;
  std::vector<core::owner> dirty_slots_;
  std::map<std::pair<core::owner, core::device_offset>, core::inbox_position>
      moves_;
  bool retired_ = false;
};

} // namespace troupe::actors
