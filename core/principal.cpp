// SPDX-License-Identifier: Apache-2.0
#include "core/principal.hpp"

namespace troupe::core {

std::string_view to_string(credential_kind kind) noexcept {
  switch (kind) {
  case credential_kind::none:
    return "none";
  case credential_kind::device:
    return "device";
  case credential_kind::password:
    return "password";
  case credential_kind::token:
    return "token";
  case credential_kind::jwt:
    return "jwt";
  }
  return "?";
}

std::string_view to_string(deny_reason why) noexcept {
  switch (why) {
  case deny_reason::none:
    return "none";
  case deny_reason::not_granted:
    return "not_granted";
  case deny_reason::no_credentials:
    return "no_credentials";
  case deny_reason::wrong_credentials:
    return "wrong_credentials";
  case deny_reason::expired:
    return "expired";
  case deny_reason::not_yet_valid:
    return "not_yet_valid";
  case deny_reason::revoked:
    return "revoked";
  case deny_reason::password_changed:
    return "password_changed";
  case deny_reason::user_banned:
    return "user_banned";
  case deny_reason::address_banned:
    return "address_banned";
  case deny_reason::too_many_attempts:
    return "too_many_attempts";
  case deny_reason::too_many_messages:
    return "too_many_messages";
  case deny_reason::busy:
    return "busy";
  }
  return "?";
}

} // namespace troupe::core
