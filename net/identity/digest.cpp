// SPDX-License-Identifier: Apache-2.0
#include "net/identity/digest.hpp"

#include "core/assert.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

namespace troupe::net::identity {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

} // namespace

std::string sha256(std::string_view text) {
  std::string made(sha256_bytes, '\0');
  SHA256(bytes_of(text), text.size(), bytes_of(made));
  return made;
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string made(sha256_bytes, '\0');
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           bytes_of(text), text.size(), bytes_of(made), nullptr);
  TROUPE_ASSERT(done != nullptr, "OpenSSL has no HMAC-SHA-256");
  return made;
}

std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations) {
  std::string made(sha256_bytes, '\0');
  const auto done = PKCS5_PBKDF2_HMAC(
      password.data(), static_cast<int>(password.size()), bytes_of(salt),
      static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
      static_cast<int>(made.size()), bytes_of(made));
  TROUPE_ASSERT(done == 1, "OpenSSL has no PBKDF2");
  return made;
}

bool same_digest(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace troupe::net::identity
