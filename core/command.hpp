// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cluster_command.hpp"
#include "core/ids.hpp"
#include "core/key_command.hpp"
#include "core/message.hpp"
#include "core/rights_command.hpp"
#include "core/route_command.hpp"
#include "core/session_command.hpp"
#include "core/stored_session_command.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// The commands of the replicated logs: all that ever changes durable state.
/// A command is applied by every replica of its group in log order and must
/// give the same result on each: it carries its own time, and the rules it is
/// judged by (inbox_policy) are themselves set by a command.
namespace troupe::core {

/// Names a command for good, so that a retry applies once. `origin` is one
/// proposer in one life of one node; it numbers its commands from 1.
struct idempotency_key {
  std::uint64_t origin = 0; ///< 0: none, always applied
  std::uint64_t sequence = 0;

  friend bool operator==(const idempotency_key&,
                         const idempotency_key&) = default;
};

/// Commands of one origin that may be under way at once; older ones are taken
/// for applied.
inline constexpr std::uint64_t idempotency_window = 1024;

// ------------------------------------------------------------- data shards

/// What an inbox belongs to.
enum class owner_kind : std::uint8_t {
  user = 0,    ///< a user with devices
  session = 1, ///< a persistent session with a single device
};

struct owner {
  std::string realm = "default";
  owner_kind kind = owner_kind::user;
  std::string name;

  friend auto operator<=>(const owner&, const owner&) = default;
};

/// One inbox that a message goes to.
struct inbox_recipient {
  std::string name; ///< owner name; realm of the message
  /// To exactly one device instead of all.
  bool single = false;
  /// A copy for the sender's other devices: no error if there are none.
  bool own_copy = false;
  /// This device does not get it (the one that posted).
  std::optional<device_offset> except{};
  owner_kind kind = owner_kind::user;
  /// How a session wants a publication; see message. Nothing to users.
  std::uint8_t qos = 0;
  bool retain_as_published = false;
  std::vector<std::uint32_t> subscription_ids{};

  friend bool operator==(const inbox_recipient&,
                         const inbox_recipient&) = default;
};

/// Makes of a publication what a recipient gets.
inline void address(message& m, const inbox_recipient& to) {
  if (to.kind != owner_kind::session)
    return;
  m.qos = std::min(m.qos, to.qos);
  m.retain = m.retain && to.retain_as_published;
  m.subscription_ids = to.subscription_ids;
}

/// Appends a message to inboxes of one shard. The id in `message` is unset,
/// and so are its subscription ids.
struct append_message {
  core::message message;
  std::vector<inbox_recipient> to;
  std::optional<milliseconds> time_to_live;
  /// Client-chosen id, already made unique per sender; applies once within
  /// inbox_policy::deduplication_window.
  std::string deduplication_key;

  friend bool operator==(const append_message&,
                         const append_message&) = default;
};

/// One device has everything up to a position, and was seen just now.
struct cursor_update {
  owner inbox;
  device_offset device;
  inbox_position up_to;

  friend bool operator==(const cursor_update&, const cursor_update&) = default;
};

/// Moves cursors; what no device needs any more is removed.
struct move_cursors {
  std::vector<cursor_update> updates;

  friend bool operator==(const move_cursors&, const move_cursors&) = default;
};

/// Gives an inbox a cursor for a device, and makes the inbox if there is none.
struct add_cursor {
  owner inbox;
  device_offset device;
  /// Start where this device stands, with what it would still get.
  std::optional<device_offset> inherit;

  friend bool operator==(const add_cursor&, const add_cursor&) = default;
};

struct remove_cursor {
  owner inbox;
  device_offset device;

  friend bool operator==(const remove_cursor&, const remove_cursor&) = default;
};

struct drop_inbox {
  owner inbox;

  friend bool operator==(const drop_inbox&, const drop_inbox&) = default;
};

/// Many inboxes at once: `troupe user import`.
struct import_inboxes {
  std::vector<add_cursor> cursors;

  friend bool operator==(const import_inboxes&,
                         const import_inboxes&) = default;
};

/// What an inbox does with a message above its bounds.
enum class overflow_policy : std::uint8_t {
  refuse = 0,      ///< the post fails with inbox_full
  drop_oldest = 1, ///< the oldest message is lost, devices see a gap
};

/// Bounds and time limits of all inboxes of a shard; 0 means "no limit".
struct inbox_policy {
  std::uint64_t messages_max = 100'000;
  std::uint64_t bytes_max = 256ULL << 20;
  overflow_policy overflow = overflow_policy::refuse;
  milliseconds default_time_to_live{0};
  milliseconds device_inactive_after{0};
  milliseconds user_inactive_after{0};
  milliseconds deduplication_window{600'000};

  friend bool operator==(const inbox_policy&, const inbox_policy&) = default;
};

struct set_inbox_policy {
  inbox_policy policy;

  friend bool operator==(const set_inbox_policy&,
                         const set_inbox_policy&) = default;
};

/// Removes what has expired: messages, deduplication keys, retained keys,
/// inboxes of sessions. At most `limit` of each.
struct sweep_expired {
  std::uint32_t limit = 1000;

  friend bool operator==(const sweep_expired&, const sweep_expired&) = default;
};

using shard_command =
    std::variant<append_message, move_cursors, add_cursor, remove_cursor,
                 drop_inbox, import_inboxes, set_inbox_policy, sweep_expired,
                 set_key, clear_key, set_key_policy, open_session,
                 set_session_expiry, close_session_record, begin_receive,
                 end_receive, delivered, completed, drop_will, drop_session,
                 set_session_policy>;

// --------------------------------------------------------------- directory

struct create_user {
  std::string realm = "default";
  std::string uid;
  std::string device;
  std::vector<std::string> aliases;

  friend bool operator==(const create_user&, const create_user&) = default;
};

struct replace_aliases {
  std::string realm = "default";
  std::string uid;
  std::vector<std::string> aliases; ///< empty: keep, only report

  friend bool operator==(const replace_aliases&,
                         const replace_aliases&) = default;
};

struct create_device {
  std::string realm = "default";
  std::string uid;
  std::string device;
  /// Name of the device whose inbox state is inherited.
  std::string previous_device;

  friend bool operator==(const create_device&, const create_device&) = default;
};

struct remove_user {
  std::string realm = "default";
  std::string uid;

  friend bool operator==(const remove_user&, const remove_user&) = default;
};

struct change_list {
  std::string realm = "default";
  std::string list;
  list_edit_kind kind = list_edit_kind::add;
  std::string caller; ///< "" for an operator: no membership needed
  std::string member; ///< uid (add, remove) or alias (invite)

  friend bool operator==(const change_list&, const change_list&) = default;
};

/// A user as the old registry knew it.
struct imported_user {
  std::string uid;
  std::vector<std::pair<std::string, device_offset>> devices;
  std::vector<std::string> aliases;

  friend bool operator==(const imported_user&, const imported_user&) = default;
};
struct imported_list {
  std::string name;
  /// uid and, for an invited member, the alias it was invited by ("" if full).
  std::vector<std::pair<std::string, std::string>> members;

  friend bool operator==(const imported_list&, const imported_list&) = default;
};
/// Users and lists that exist already are kept as they are and counted.
struct import_directory {
  std::string realm = "default";
  std::vector<imported_user> users;
  std::vector<imported_list> lists;

  friend bool operator==(const import_directory&,
                         const import_directory&) = default;
};

/// Nodes and placements; in no realm.
struct change_cluster {
  cluster_command change;

  friend bool operator==(const change_cluster&,
                         const change_cluster&) = default;
};

/// Credentials and what they permit.
struct change_rights {
  std::string realm = "default";
  rights_command change;

  friend bool operator==(const change_rights&, const change_rights&) = default;
};

using directory_command =
    std::variant<create_user, replace_aliases, create_device, remove_user,
                 change_list, import_directory, change_cluster, change_rights,
                 change_routes>;

// -------------------------------------------------------------- in the log

/// A command with what every command has.
template <class Command>
struct logged {
  idempotency_key key;
  timestamp time{}; ///< stamped by the leader, ascending within a group
  Command command;

  friend bool operator==(const logged&, const logged&) = default;
};

using logged_shard_command = logged<shard_command>;
using logged_directory_command = logged<directory_command>;

} // namespace troupe::core
