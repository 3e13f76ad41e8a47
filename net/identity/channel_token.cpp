// SPDX-License-Identifier: Apache-2.0
#include "net/identity/channel_token.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstddef>
#include <span>

namespace troupe::net::identity {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

void append_hex(std::string& to, unsigned char byte) {
  to.push_back(digits[byte >> 4U]);
  to.push_back(digits[byte & 15U]);
}

} // namespace

std::string make_channel_token(std::string_view secret,
                               std::string_view session,
                               std::string_view channel) {
  std::string text{session};
  text.push_back('@');
  text += channel;
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           mac.data(), &size) == nullptr)
    return {};
  std::string hex;
  for (const auto byte : std::span{mac}.first(size))
    append_hex(hex, byte);
  return hex;
}

bool channel_token_fits(std::string_view secret, std::string_view session,
                        std::string_view channel, std::string_view token) {
  if (secret.empty())
    return false;
  const auto wanted = make_channel_token(secret, session, channel);
  return !wanted.empty() && wanted.size() == token.size() &&
         CRYPTO_memcmp(wanted.data(), token.data(), token.size()) == 0;
}

std::string make_uuid() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return {};
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x40U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      text.push_back('-');
    append_hex(text, bytes[i]);
  }
  return text;
}

} // namespace troupe::net::identity
