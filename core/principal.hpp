// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/grant.hpp"
#include "core/ids.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Who is at the other end of a connection, and why he may not do something.
namespace troupe::core {

/// What somebody has proven his name with.
enum class credential_kind : std::uint8_t {
  none,   ///< nothing: has no name either
  device, ///< the name of a device (websocket.MQ)
  password,
  token, ///< one that the directory knows
  jwt,   ///< one that somebody has signed whom we trust
};
[[nodiscard]] std::string_view to_string(credential_kind kind) noexcept;

/// Made by an authenticator, kept by a session as long as it lives.
struct principal {
  std::string realm = "default";
  std::string uid;     ///< "" for somebody without a name
  std::string client;  ///< what the door calls this client; %c in grants
  std::string address; ///< without the port; "" if there is none
  credential_kind by = credential_kind::none;
  std::string token;      ///< id, by a token
  log_index password_set; ///< of the password that was shown
  /// When what was shown ends to be worth something.
  std::optional<timestamp> expires;
  /// Has `roles` and `grants` and nothing else; otherwise what the directory
  /// says of the user, and these beside it.
  bool own_rights_only = false;
  std::vector<std::string> roles;
  std::vector<grant> grants;

  friend bool operator==(const principal&, const principal&) = default;
};

/// Why something is refused. One list for logins and for what a session does,
/// for metrics, logs and the debug endpoint. Clients are told a protocol's own
/// text, and never whether a user exists.
enum class deny_reason : std::uint8_t {
  none, ///< permitted
  not_granted,
  no_credentials,    ///< nobody may come without a name
  wrong_credentials, ///< unknown user, wrong password, no such token
  expired,
  not_yet_valid,
  revoked,          ///< the token was taken back
  password_changed, ///< since the session began
  user_banned,
  address_banned,
  too_many_attempts, ///< logins of this user or from this address
  too_many_messages, ///< of this user or from this address
  busy,              ///< no room in a queue; try again later
};
inline constexpr std::array deny_reasons_all{
    deny_reason::not_granted,       deny_reason::no_credentials,
    deny_reason::wrong_credentials, deny_reason::expired,
    deny_reason::not_yet_valid,     deny_reason::revoked,
    deny_reason::password_changed,  deny_reason::user_banned,
    deny_reason::address_banned,    deny_reason::too_many_attempts,
    deny_reason::too_many_messages, deny_reason::busy};
/// "not_granted", …; "none".
[[nodiscard]] std::string_view to_string(deny_reason why) noexcept;

} // namespace troupe::core
