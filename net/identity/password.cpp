// SPDX-License-Identifier: Apache-2.0
#include "net/identity/password.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <argon2.h>
#include <array>

namespace troupe::net::identity {
namespace {

constexpr std::size_t salt_bytes = 16;
constexpr std::size_t hash_bytes = 32;
constexpr std::uint32_t lanes = 1;

} // namespace

core::result<std::string> hash_password(std::string_view password,
                                        const password_cost& cost) {
  if (password.empty())
    return core::error{core::errc::malformed, "an empty password"};
  if (password.size() > password_bytes_max)
    return core::error{core::errc::too_large, "password"};
  std::array<unsigned char, salt_bytes> salt{};
  if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1)
    return core::error{core::errc::io_error, "no random numbers"};
  std::string text(argon2_encodedlen(cost.passes, cost.memory_kib, lanes,
                                     salt_bytes, hash_bytes, Argon2_id),
                   '\0');
  const auto failure = argon2id_hash_encoded(
      cost.passes, cost.memory_kib, lanes, password.data(), password.size(),
      salt.data(), salt.size(), hash_bytes, text.data(), text.size());
  if (failure != ARGON2_OK)
    return core::error{core::errc::io_error, argon2_error_message(failure)};
  text.resize(text.find('\0'));
  return text;
}

bool verify_password(const std::string& hash, std::string_view password) {
  return password.size() <= password_bytes_max &&
         argon2id_verify(hash.c_str(), password.data(), password.size()) ==
             ARGON2_OK;
}

core::result<std::string> stretch(std::string_view secret,
                                  std::string_view salt,
                                  const password_cost& cost) {
  std::string made(hash_bytes, '\0');
  const auto failure = argon2id_hash_raw(
      cost.passes, cost.memory_kib, lanes, secret.data(), secret.size(),
      salt.data(), salt.size(), made.data(), made.size());
  if (failure != ARGON2_OK)
    return core::error{core::errc::io_error, argon2_error_message(failure)};
  return made;
}

void wipe(std::string& secret) noexcept {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

} // namespace troupe::net::identity
