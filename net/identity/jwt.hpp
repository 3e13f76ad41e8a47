// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "net/identity/jwt_key.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// JSON Web Tokens (RFC 7519) signed by somebody whom we trust. Pure: keys and
/// time are given, bytes go in, claims or a reason come out.
namespace troupe::net::identity {

inline constexpr std::size_t jwt_bytes_max = std::size_t{16} << 10;

enum class jwt_failure : std::uint8_t {
  none,
  malformed,      ///< not three parts of the JSON that is wanted
  algorithm,      ///< none, unknown, or a critical extension
  key_unknown,    ///< no key for this algorithm and key id
  signature,      ///< made with another key, or of other bytes
  expired,        ///< or without an end
  not_yet_valid,  ///< before nbf, or made in the future
  wrong_issuer,   ///<
  wrong_audience, ///< for somebody else
};
[[nodiscard]] std::string_view to_string(jwt_failure why) noexcept;

struct jwt_rules {
  std::string issuer;                ///< "": any
  std::vector<std::string> audience; ///< one of these; empty: any
  core::milliseconds leeway{30'000}; ///< for clocks that differ
  bool endless = false;              ///< tokens without an end count, too
};

struct jwt_outcome {
  jwt_failure why = jwt_failure::none;
  boost::json::object claims;
  /// Leeway included; nothing: never.
  std::optional<core::timestamp> expires{};
};

/// Checks the signature, then the times, the issuer and the audience. A key is
/// used for the algorithms of its kind only, whatever the token says: what is
/// signed with a public key as if it were a secret is refused, and so is
/// "none". Costs one signature check for each key that comes into question,
/// which is one if tokens name their key.
[[nodiscard]] jwt_outcome verify_jwt(std::string_view token,
                                     const jwt_keys& keys,
                                     const jwt_rules& rules,
                                     core::timestamp now);

} // namespace troupe::net::identity
