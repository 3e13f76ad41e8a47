// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

namespace troupe::test_support {

/// Makes keys and signs tokens with them, as an issuer would.
class jwt_signer {
public:
  /// "RSA" or a curve: "P-256", "P-384", "P-521".
  explicit jwt_signer(const std::string& kind);

  /// "RS256", "PS384", "ES512", …
  [[nodiscard]] std::string sign(std::string_view algorithm,
                                 std::string_view claims,
                                 std::string_view more_header = {}) const;
  /// The public half.
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] std::string jwk(std::string_view id,
                                std::string_view more = {}) const;

private:
  std::string kind_;
  std::shared_ptr<EVP_PKEY> key_;
};

/// Signed by a shared secret: "HS256", "HS384", "HS512".
[[nodiscard]] std::string sign_hmac(std::string_view algorithm,
                                    std::string_view secret,
                                    std::string_view claims,
                                    std::string_view more_header = {});
/// Header and claims in base64url, with the dot between; whatever they are.
[[nodiscard]] std::string unsigned_token(std::string_view header,
                                         std::string_view claims);

} // namespace troupe::test_support
