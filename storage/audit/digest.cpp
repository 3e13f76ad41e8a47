// SPDX-License-Identifier: Apache-2.0
#include "storage/audit/digest.hpp"

#include "core/assert.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace troupe::storage::audit {

/// Fetched once: looking an algorithm up costs more than hashing a record.
struct hasher::state {
  EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  state() {
    TROUPE_ASSERT(algorithm != nullptr && context != nullptr,
                  "there is no SHA-256");
  }
  ~state() {
    EVP_MD_CTX_free(context);
    EVP_MD_free(algorithm);
  }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
};

hasher::hasher() : state_(std::make_unique<state>()) {}
hasher::~hasher() = default;
hasher::hasher(hasher&&) noexcept = default;
hasher& hasher::operator=(hasher&&) noexcept = default;

digest hasher::of(core::bytes_view first, core::bytes_view second) {
  digest made{};
  auto* context = state_->context;
  unsigned length = 0;
  const bool done =
      EVP_DigestInit_ex2(context, state_->algorithm, nullptr) == 1 &&
      EVP_DigestUpdate(context, first.data(), first.size()) == 1 &&
      EVP_DigestUpdate(context, second.data(), second.size()) == 1 &&
      EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(made.data()),
                         &length) == 1;
  TROUPE_ASSERT(done && length == made.size(), "SHA-256 has failed");
  return made;
}

digest keyed_digest(std::string_view key, core::bytes_view bytes) {
  TROUPE_ASSERT(!key.empty(), "a seal needs a key");
  digest made{};
  unsigned length = 0;
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
           reinterpret_cast<unsigned char*>(made.data()), &length);
  TROUPE_ASSERT(done != nullptr && length == made.size(), "HMAC has failed");
  return made;
}

bool same(const digest& a, const digest& b) noexcept {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(const digest& value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * value.size());
  for (const auto byte : value) {
    text += digits[std::to_integer<std::size_t>(byte) >> 4U];
    text += digits[std::to_integer<std::size_t>(byte) & 15U];
  }
  return text;
}

std::optional<digest> digest_of_hex(std::string_view text) {
  digest value{};
  if (text.size() != 2 * value.size())
    return std::nullopt;
  const auto nibble = [](char c) -> int {
    if (c >= '0' && c <= '9')
      return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto high = nibble(text[2 * i]);
    const auto low = nibble(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    value[i] = static_cast<std::byte>(16 * high + low);
  }
  return value;
}

} // namespace troupe::storage::audit
