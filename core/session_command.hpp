// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What a client may ask of the broker, in no protocol's words. A gate makes
/// these out of packets; the session actor carries them out and answers each
/// with exactly one event of core/session_event.hpp that bears the same
/// request number (but `acknowledge` and `close_session`: no answer).
namespace troupe::core {

/// Chosen by the gate, ascending; pairs a command with its answer.
using request_number = std::uint64_t;

/// Creates a user with a first device. Answer: user_registered.
struct register_user {
  request_number request = 0;
  std::string uid;
  std::string device;
  std::vector<std::string> aliases; ///< duplicates removed by the gate
};

/// Replaces the aliases of the session's own user (kept if `aliases` is
/// empty). Answer: user_registered; on success every device of the user also
/// gets an `aliases_changed` message.
struct change_aliases {
  request_number request = 0;
  std::string uid; ///< must be the session's own
  std::vector<std::string> aliases;
};

/// Adds a device; it inherits all that `previous_device` has not acknowledged.
/// Without a login the previous device's name is the credential; with one
/// the session's own user counts, and an empty `previous_device` means the
/// session's device. Answer: device_added.
struct add_device {
  request_number request = 0;
  std::string uid;
  std::string device;
  std::string previous_device;
};

/// Binds the session to a device of a user. Answer: logged_in.
struct login {
  request_number request = 0;
  std::string uid;
  std::string device;
  /// Deliveries that may be unacknowledged at once; 1 for old clients.
  std::uint32_t window = 1;
  /// Last position the client has seen; asks for "recovered" or "gap".
  std::optional<inbox_position> resume_from;
};

/// How a recipient of a post is meant (websocket.MQ A.8).
enum class recipient_kind : std::uint8_t {
  one_device = 0,          ///< uid, exactly one of its devices
  all_devices = 1,         ///< uid, all of its devices
  list_without_sender = 2, ///< list, all members but the sender
  list_with_sender = 3,    ///< list, all members, all their devices
};

struct recipient {
  std::string name;
  recipient_kind kind = recipient_kind::all_devices;

  friend bool operator==(const recipient&, const recipient&) = default;
};

/// What every command that carries a message has in common.
struct outgoing_message {
  shared_bytes meta;
  shared_bytes payload;
  std::optional<milliseconds> time_to_live;
};

/// Queues a message for recipients, durably. Answer: posted.
struct post {
  request_number request = 0;
  std::vector<recipient> to;
  outgoing_message message;
  /// Also to the sender's other devices.
  bool copy_to_own_devices = true;
  /// If set, a second post with this id within the window is not queued again.
  std::optional<std::string> deduplication_id;
};

/// Posts to all devices of whoever has this alias. Answer: posted.
struct post_to_alias {
  request_number request = 0;
  std::string alias;
  outgoing_message message;
  bool copy_to_own_devices = true;
  std::optional<std::string> deduplication_id;
};

enum class list_edit_kind : std::uint8_t { add = 0, invite = 1, remove = 2 };

/// Changes who is in a list. Answer: list_edited.
struct edit_list {
  request_number request = 0;
  std::string list;
  list_edit_kind kind = list_edit_kind::add;
  std::string member;          ///< uid for add and remove, alias for invite
  outgoing_message invitation; ///< delivered to the invited user
};

/// Everything up to and including this position has been received. No answer.
struct acknowledge {
  inbox_position up_to;
};

/// The connection is gone. No answer; the last command of a session.
struct close_session {};

using session_command =
    std::variant<register_user, change_aliases, add_device, login, post,
                 post_to_alias, edit_list, acknowledge, close_session>;

} // namespace troupe::core
