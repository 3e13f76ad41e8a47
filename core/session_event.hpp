// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/message.hpp"
#include "core/result.hpp"
#include "core/session_command.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What the broker tells a session; a gate turns these into packets.
namespace troupe::core {

/// Answer to register_user and change_aliases.
struct user_registered {
  request_number request = 0;
  error failure; ///< code ok if it worked
  /// The aliases the user has now; with errc::user_exists: had already.
  std::vector<std::string> aliases;
};

/// Answer to add_device.
struct device_added {
  request_number request = 0;
  error failure;
  /// Also given with errc::device_exists: the device's offset.
  std::optional<device_offset> offset;
};

enum class resume_outcome : std::uint8_t {
  not_asked,
  recovered, ///< everything behind the asked position is still there
  gap,       ///< messages behind it are gone (expired, dropped, acknowledged)
};

/// Answer to login. On success deliveries may follow at once.
struct logged_in {
  request_number request = 0;
  error failure;
  resume_outcome resume = resume_outcome::not_asked;
  /// Position the deliveries start behind.
  inbox_position acknowledged;
  /// The window granted.
  std::uint32_t window = 1;
};

/// Answer to post and post_to_alias. `accepted` means durable for every
/// recipient that is not named in `failures`.
struct posted {
  request_number request = 0;
  bool accepted = false;
  /// One for each recipient that was not reached, detail = its name.
  std::vector<error> failures;
  /// Id of the message as recipients see it; unset if not accepted.
  std::optional<message_id> id;
};

/// Answer to edit_list.
struct list_edited {
  request_number request = 0;
  /// codes: list_unknown, not_a_member, user_unknown, alias_unknown, …
  error failure;
};

/// A message from the session's inbox. Positions ascend; the gate holds back
/// what exceeds its window.
struct delivery {
  inbox_position position;
  message_ptr message;
};

/// The session ends by the broker's will; the gate says goodbye and closes.
struct session_ended {
  error reason; ///< shutting_down, not_permitted (kicked), …
};

using session_event =
    std::variant<user_registered, device_added, logged_in, posted, list_edited,
                 delivery, session_ended>;

/// The way back from a session actor to its connection; both live on one loop
/// and die in any order. Implemented by net/ (and by recorders in tests).
class session_link {
public:
  virtual ~session_link() = default;
  /// Called on the loop of the session only.
  virtual void on_event(session_event event) = 0;
  /// The way to the session was full and has room again.
  virtual void on_room() {}
};

} // namespace troupe::core
