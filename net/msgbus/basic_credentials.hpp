// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::msgbus {

/// What HTTP Basic says (RFC 7617).
struct basic_credentials {
  std::string user;
  std::string password;
};

/// Of an Authorization field; nothing if that is another scheme, no base64 or
/// has no colon in it.
[[nodiscard]] std::optional<basic_credentials>
parse_basic(std::string_view field);

/// Takes as long wherever the two differ.
[[nodiscard]] bool same_secret(std::string_view a, std::string_view b) noexcept;

} // namespace troupe::net::msgbus
