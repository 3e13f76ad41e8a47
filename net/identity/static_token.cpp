// SPDX-License-Identifier: Apache-2.0
#include "net/identity/static_token.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace troupe::net::identity {
namespace {

constexpr std::string_view prefix = "trp_";
constexpr std::size_t id_bytes = 6;
constexpr std::size_t secret_bytes = 32;

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

bool is_hex(std::string_view text, std::size_t bytes) {
  return text.size() == 2 * bytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

} // namespace

core::result<static_token> make_static_token() {
  std::array<unsigned char, id_bytes + secret_bytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    return core::error{core::errc::io_error, "no random numbers"};
  const std::span all{random};
  return static_token{to_hex(all.first(id_bytes)),
                      to_hex(all.subspan(id_bytes))};
}

bool is_static_token(std::string_view bearer) noexcept {
  return bearer.starts_with(prefix);
}

std::optional<static_token> parse_static_token(std::string_view bearer) {
  if (!is_static_token(bearer))
    return std::nullopt;
  bearer.remove_prefix(prefix.size());
  const auto end = bearer.find('_');
  if (end == std::string_view::npos)
    return std::nullopt;
  const auto id = bearer.substr(0, end);
  const auto secret = bearer.substr(end + 1);
  if (!is_hex(id, id_bytes) || !is_hex(secret, secret_bytes))
    return std::nullopt;
  return static_token{std::string{id}, std::string{secret}};
}

std::string hash_of_token(std::string_view secret) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
         hash.data());
  return to_hex(hash);
}

bool same_hash(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace troupe::net::identity
