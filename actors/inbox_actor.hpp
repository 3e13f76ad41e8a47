// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// When this node began to lead the inbox's shard. Until `grace_ends` entries
/// of the log up to `index` may be in the hands of a session that the leader
/// before served.
struct accession {
  core::log_index index;
  core::steady_time grace_ends{};
};

struct inbox_deps {
  broker_context* context = nullptr;
  shard_actor shard;
  core::owner owner;
  actors::accession accession{};
};

/// Owner: the shard, which spawns it when the first session attaches and lets
/// it retire when the last has been gone for passivate_after. Nothing is lost
/// when it dies: what is durable lives in the shard, sessions attach again.
/// Mailbox: bounded by the windows of the attached sessions and by what the
/// shard applies. Waits for: fetched_entries.
///
/// It sends a session more than its client's window allows (so that the next
/// message leaves without a detour), but no more than `ahead` deliveries and
/// `ahead_bytes_max`; the session's gate keeps the window. A message for a
/// single device is claimed by the first device whose turn it is, and goes to
/// another one only if the first is gone without having acknowledged it.
///
/// A session that comes back from another leader, or over a new link, says what
/// it has in hand. That is not sent again, and counts as sent here. What it has
/// in hand of messages for a single device is its claim: positions ascend, and
/// nobody gets past such an entry that is there and somebody else's. Claims
/// that nobody has raised yet are kept for a grace time: of all older entries
/// when the shard has a new leader, and of a session whose link broke.
///
/// Of a session of a client it is the place of its one connection: who comes
/// anew ends the one before. It retires soon after the connection is gone, and
/// the shard then looks whether that was said. Sessions without a record have
/// no messages, and a row in place of this (names/client_names).
struct inbox_state {
  static inline const char* name = "inbox";
  using pointer = inbox_actor::stateful_pointer<inbox_state>;

  /// Bytes on their way to one session and not acknowledged; one message may
  /// be larger.
  static constexpr std::size_t ahead_bytes_max = 128 * 1024;

  explicit inbox_state(pointer ptr);
  [[nodiscard]] std::string path() const;

  void start(inbox_deps deps);
  void attach(attach_request& request);
  void remove(const detach& request);
  void acknowledge(const delivery_acknowledged& ack);
  void pass(const inbox_fence& fence);
  void on_changes(inbox_changes& changes);
  void on_fetched(fetched_entries& found);
  void on_idle_tick();
  void on_seen_tick();
  void on_grace_tick();
  void retire_now();
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] live_inbox show() const;

private:
  struct sent_entry {
    core::inbox_position position;
    std::uint32_t weight = 0;
    bool single = false;
  };
  /// One device with a session.
  struct attached_device {
    attachment id = 0;
    session_identity who;
    session_actor session;
    std::uint32_t window = 1;
    core::cursor cursor;       ///< acknowledged by this session or before it
    core::inbox_position next; ///< first position not yet looked at
    std::deque<stored_delivery> ready;
    std::deque<sent_entry> sent;
    std::size_t ready_bytes = 0;
    std::size_t sent_bytes = 0;
    bool fetching = false;
    /// The session came with this; up to here `next` only looks for what it
    /// has.
    core::inbox_position in_hand;
    /// What it has acknowledged of that.
    core::inbox_position told;
    std::vector<ticket> fences; ///< wait for what is being fetched
    [[nodiscard]] bool coming_back() const { return next <= in_hand; }
    /// Deliveries that may be under way.
    [[nodiscard]] std::size_t ahead() const;
    [[nodiscard]] bool has_room() const;
  };
  struct claim {
    core::device_offset device;
    bool acknowledged = false; ///< waits for the shard to remove the entry
    /// Its session is lost, and may come back until then.
    std::optional<core::steady_time> kept_until;
  };

  void answer(const attach_request& request, core::errc code,
              core::resume_outcome resume, core::inbox_position from);
  static core::resume_outcome resume(const attach_request& request,
                                     core::cursor& cursor,
                                     core::inbox_position& from);
  void come_back(const attach_request& request, attached_device& device,
                 core::inbox_position in_tables) const;
  void replace(core::device_offset offset, const attach_request& by);
  void take_over(core::device_offset offset);
  void report_seen(core::device_offset device, core::inbox_position up_to);
  [[nodiscard]] bool is_of_session() const {
    return owner_.kind == core::owner_kind::session;
  }
  void take(attached_device& device, stored_delivery item);
  void take_in_hand(core::device_offset offset, attached_device& device,
                    const stored_delivery& item);
  void acknowledge_up_to(core::device_offset offset, attached_device& device,
                         core::inbox_position up_to);
  void feed(core::device_offset offset, attached_device& device);
  bool may_send(core::device_offset offset, attached_device& device,
                const stored_delivery& item);
  bool may_claim(core::device_offset offset, const core::inbox_entry& entry);
  void fetch_more(core::device_offset offset, attached_device& device);
  void feed_all();
  void report(core::device_offset device, core::inbox_position up_to);
  void forget(core::inbox_position position);
  void release(core::device_offset offset, attached_device& device, bool lost);
  void tell_device_count();
  void schedule_idle_tick();
  void schedule_seen_tick();
  void schedule_grace_tick();

  pointer self_;
  broker_context* context_ = nullptr;
  shard_actor shard_;
  core::owner owner_;
  actors::accession accession_;
  core::inbox_position last_;      ///< newest position known
  std::uint32_t device_count_ = 0; ///< of the user, attached or not
  std::map<core::device_offset, attached_device> devices_;
  std::map<core::inbox_position, claim> claims_;
  /// What devices have acknowledged here: a session that comes back at once is
  /// ahead of the tables, which hear of it a little later.
  std::map<core::device_offset, core::inbox_position> acknowledged_;
  std::uint64_t attaches_seen_ = 0;
  bool idle_tick_pending_ = false;
  bool seen_tick_pending_ = false;
  /// The next tick that counts.
  std::optional<core::steady_time> grace_tick_at_;
  /// Messages for single devices wait until it is sure again who leads.
  std::optional<core::steady_time> asks_again_at_;
};

inbox_actor::behavior_type inbox_behavior(inbox_state::pointer self,
                                          inbox_deps deps);

} // namespace troupe::actors
