// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::identity {

inline constexpr std::size_t jwt_keys_max = 64;

enum class jwt_family : std::uint8_t {
  hmac,      ///< HS: a shared secret
  rsa_pkcs1, ///< RS
  rsa_pss,   ///< PS
  ecdsa,     ///< ES
};

/// "HS256", …: how, and with which size of SHA-2.
struct jwt_algorithm {
  jwt_family family = jwt_family::hmac;
  int bits = 256;

  /// Nothing for "none" and whatever else there is.
  static std::optional<jwt_algorithm> of(std::string_view name) noexcept;
};

/// One key that signatures are checked with. Immutable; copies share it.
class jwt_key {
public:
  /// invalid_config.
  static core::result<jwt_key> of_secret(std::string secret);
  /// A public key or a certificate in PEM.
  static core::result<jwt_key> of_pem(const std::string& pem);

  /// Whether it is for this algorithm, and for tokens that name this key (""
  /// for those that name none).
  [[nodiscard]] bool serves(const jwt_algorithm& algorithm,
                            std::string_view id) const noexcept;
  /// REQUIRES: serves(algorithm, …).
  [[nodiscard]] bool verify(const jwt_algorithm& algorithm,
                            std::string_view text,
                            std::string_view signature) const;

private:
  friend core::result<std::vector<jwt_key>>
  parse_jwks(std::string_view document);
  enum class kind : std::uint8_t { secret, rsa, ec };

  kind kind_ = kind::secret;
  std::string id_;        ///< kid, "" if it has none
  std::string algorithm_; ///< if it is for one only
  std::string secret_;
  std::shared_ptr<EVP_PKEY> public_;
  int curve_bits_ = 0; ///< of the SHA-2 that goes with the curve
};

using jwt_keys = std::vector<jwt_key>;

/// A set of keys (RFC 7517, {"keys": [ … ]}). Keys of kinds that nothing is
/// checked with here are passed over. invalid_config: no such document, a key
/// that is damaged or too weak, too many, or none that is of use.
core::result<jwt_keys> parse_jwks(std::string_view document);

} // namespace troupe::net::identity
