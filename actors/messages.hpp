// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/channels/channel_report.hpp"
#include "actors/group_transport.hpp"
#include "actors/handles.hpp"
#include "actors/links/node_links.hpp"
#include "core/client_command.hpp"
#include "core/command.hpp"
#include "core/directory_machine.hpp"
#include "core/inbox_machine.hpp"
#include "core/session_command.hpp"
#include "core/session_event.hpp"
#include "core/shared_bytes.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The messages between the actors of one node, in the order of handles.hpp.
/// They travel by pointer inside the process and are never serialised.
namespace troupe::actors {

/// Pairs an answer with its question; chosen by the asker, never 0.
using ticket = std::uint64_t;

/// Names one attempt of a session to attach, so that what a session that is
/// gone left in a mailbox is not taken for its successor's.
using attachment = std::uint64_t;

// ---------------------------------------------------------------- proposals

struct proposal {
  actors::ticket ticket = 0;
  /// An encoded command nobody else holds: the leader stamps its time.
  core::shared_bytes command;
  /// Makes durable state larger: refused while storage is low.
  bool grows = true;
  /// Was lost before (not_leader), and so its asker knows of all losses so far;
  /// see order_fence.
  bool again = false;
};

struct shard_proposals {
  shard_client from;
  std::vector<proposal> items;
};
struct shard_answer {
  actors::ticket ticket = 0;
  core::shard_outcome outcome;
  /// With errc::not_leader: who leads, 0 if unknown here.
  core::node_id leader{};
};
struct shard_answers {
  std::vector<shard_answer> items;
};

struct directory_proposals {
  directory_client from;
  std::vector<proposal> items;
};
struct directory_answer {
  actors::ticket ticket = 0;
  core::directory_outcome outcome;
  /// As in shard_answer.
  core::node_id leader{};
};
struct directory_answers {
  std::vector<directory_answer> items;
};

// ------------------------------------------------------------------ inboxes

/// One session for all its attempts to attach, wherever it lives.
struct session_identity {
  core::node_id node;       ///< 0: this one
  std::uint64_t life = 0;   ///< incarnation of that node
  std::uint64_t number = 0; ///< of its connection

  friend bool operator==(const session_identity&,
                         const session_identity&) = default;
};

/// What a session brings along that had the inbox before, from whoever led it
/// then.
struct returning_session {
  /// Its client has everything up to here and has said so.
  core::inbox_position acknowledged;
  /// It was handed everything up to here.
  core::inbox_position in_hand;

  friend bool operator==(const returning_session&,
                         const returning_session&) = default;
};

/// session → shard → inbox.
struct attach_request {
  actors::ticket ticket = 0;
  session_actor session;
  actors::attachment attachment = 0;
  session_identity who{};
  core::owner inbox;
  core::device_offset device;
  /// Device whose state this one inherits, if its cursor is not there yet.
  std::optional<core::device_offset> inherit;
  std::uint32_t window = 1;
  std::optional<core::inbox_position> resume_from;
  std::optional<returning_session> returns{};
  /// Of a client's session: what open_session answered.
  std::uint64_t epoch = 0;
  /// Filled in by the shard.
  core::inbox_head head{};
};

/// inbox → session (or shard → session, if it can't be had).
struct attached {
  actors::ticket ticket = 0;
  core::error failure;
  /// With errc::not_leader: who leads the inbox's shard, 0 if unknown here.
  core::node_id leader{};
  inbox_actor inbox{};
  core::device_offset device{};
  core::resume_outcome resume = core::resume_outcome::not_asked;
  core::inbox_position acknowledged{};
  std::uint32_t devices = 0;
};

struct detach {
  core::device_offset device;
  actors::attachment attachment = 0;
  /// The link to its node is gone: it may come back with what it has in hand.
  bool lost = false;
};

/// inbox → session: this actor is not its inbox any more.
struct inbox_released {};

struct delivery_acknowledged {
  core::device_offset device;
  actors::attachment attachment = 0;
  core::inbox_position up_to;
};

/// inbox → session; in order, ahead of the client's window.
struct deliveries {
  std::vector<core::delivery> items;
};

/// session → inbox and back: everything the shard has done before it answered
/// the session has been delivered to the session.
struct inbox_fence {
  actors::ticket ticket = 0;
  session_actor session;
};
struct fence_passed {
  actors::ticket ticket = 0;
};

struct devices_changed {
  std::uint32_t devices = 0;
};

struct session_stop {
  core::error reason;
};

/// inbox → shard.
struct cursor_moves {
  std::vector<core::cursor_update> updates;
};

/// An entry with its message, as far as it could be read.
struct stored_delivery {
  core::inbox_entry entry;
  core::message_ptr message;
};

/// inbox → shard: entries from `from` on, for one device.
struct fetch_entries {
  inbox_actor inbox;
  core::owner owner;
  core::device_offset device;
  core::inbox_position from;
  std::uint32_t count_max = 64;
  std::size_t bytes_max = 1U << 20U;
};
struct fetched_entries {
  core::device_offset device;
  core::inbox_position from;
  /// First position not looked at.
  core::inbox_position next;
  std::vector<stored_delivery> items;
};

/// shard → inbox: what applied commands did, in order.
struct inbox_changes {
  std::vector<stored_delivery> appended;
  /// No longer to be delivered to anybody.
  std::vector<core::inbox_position> removed;
  std::optional<core::inbox_head> devices;
  bool dropped = false;
};

struct passivate_inbox {
  core::owner inbox;
  /// Attach requests the actor has seen; the shard says no if it sent more.
  std::uint64_t attaches_seen = 0;
};

// -------------------------------------------------------------------- lists

struct expand_list {
  actors::ticket ticket = 0;
  list_client from;
  std::string realm;
  std::string list;
  /// Must be a member; "" for an operator.
  std::string caller;
};
struct list_expansion {
  actors::ticket ticket = 0;
  core::error failure; ///< list_unknown, not_a_member
  std::string list;
  /// Full members (not the invited ones), with the caller if he is one.
  std::shared_ptr<const std::vector<std::string>> members;
};
struct list_changed {};
struct passivate_list {
  std::string realm;
  std::string list;
  std::uint64_t uses_seen = 0;
};

// ------------------------------------------------------------------ session

struct session_commands {
  std::vector<core::session_command> items;
};

struct client_commands {
  std::vector<core::client_command> items;
};

struct courier_state;
struct courier_order {
  std::function<void(courier_state&)> work;
};

// -------------------------------------------------------------- replication

/// From a replica of the same group on another node; see group_transport.
struct group_frame {
  core::node_id from;
  group_frame_kind kind = group_frame_kind::raft;
  core::shared_bytes bytes;
  /// Given back to the link when the frame has been worked on. May be null.
  std::shared_ptr<const void> credit{};
};

/// A piece of storage work for the group is done; to be run on its loop.
struct group_task {
  std::function<void()> run;
};

// --------------------------------------------------------------- membership

/// Given by value and answered once, from any thread.
struct join_asked {
  links::join_call call;
};

// ------------------------------------------------------ sessions of other
// nodes

/// One frame of attachment_wire.hpp for a proxy.
struct attachment_frame {
  core::node_id from;
  /// Incarnation of that node.
  std::uint64_t life = 0;
  core::shared_bytes bytes;
  /// As in group_frame.
  std::shared_ptr<const void> credit{};
};
struct attachment_lost {};

// --------------------------------------------------------- storage and time

struct log_persisted {
  std::uint64_t write = 0;
};
struct state_committed {
  core::log_index applied;
};
struct attach_tick {};
struct deadline_tick {};
struct due_tick {};
struct flush_tick {};
struct grace_tick {};
struct idle_tick {};
struct look_tick {};
/// Only the newest one asked for counts.
struct raft_tick {
  std::uint32_t number = 0;
};
struct retry_tick {};
struct seen_tick {};
struct sweep_tick {};
struct retire {};

// ----------------------------------------------------------------- operator

struct operator_state;
struct operator_order {
  std::function<void(operator_state&)> work;
};

// -------------------------------------------------------------------- debug

struct inspect {};
struct inspect_inbox {
  core::owner inbox;
};
/// Those of a realm behind a name, in order, or one alone; a JSON array.
struct inspect_sessions {
  std::string realm;
  std::string after;
  std::string only{}; ///< "": all
  /// If not 0: says what would become of one more of so many bytes.
  std::uint64_t weight = 0;
  std::size_t count_max = 100;
};
/// shard → inbox.
struct inspect_live {};
struct live_inbox {
  std::string json; ///< what the actor answers to inspect
  std::vector<core::device_offset> attached;
};
struct inspect_list {
  std::string realm;
  std::string list;
};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::attach_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::attach_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::attached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::attachment_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::attachment_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::channels::channel_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::client_commands)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::courier_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::cursor_moves)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::deadline_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::deliveries)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::delivery_acknowledged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::detach)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::devices_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::directory_answers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::directory_proposals)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::due_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::expand_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::fence_passed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::fetch_entries)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::fetched_entries)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::flush_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::grace_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::group_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::group_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::idle_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::inbox_changes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::inbox_fence)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::inbox_released)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::inspect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::inspect_inbox)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::inspect_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::inspect_live)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::inspect_sessions)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::join_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::list_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::list_expansion)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::live_inbox)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::log_persisted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::look_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::operator_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::passivate_inbox)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::passivate_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::raft_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::retire)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::retry_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::seen_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::session_commands)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::session_stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::shard_answers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::shard_proposals)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::state_committed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::sweep_tick)
