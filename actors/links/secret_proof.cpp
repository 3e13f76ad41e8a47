// SPDX-License-Identifier: Apache-2.0
#include "actors/links/secret_proof.hpp"

#include "core/assert.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstring>

namespace troupe::actors::links {

namespace {

void append(std::string& out, std::string_view part) {
  const auto size = static_cast<std::uint32_t>(part.size());
  char raw[sizeof size];
  std::memcpy(raw, &size, sizeof size);
  out.append(raw, sizeof raw);
  out.append(part);
}

std::string as_key(const proof_bytes& proof) {
  return std::string{core::as_text(proof)};
}

} // namespace

proof_bytes prove(std::string_view secret, std::string_view label,
                  std::initializer_list<std::string_view> parts) {
  std::string text;
  append(text, label);
  for (const auto part : parts)
    append(text, part);
  proof_bytes proof{};
  unsigned size = 0;
  const auto* made =
      HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(proof.data()), &size);
  TROUPE_ASSERT(made != nullptr && size == proof.size(),
                "OpenSSL has no HMAC-SHA-256");
  return proof;
}

bool same_proof(const proof_bytes& a, core::bytes_view b) {
  return b.size() == a.size() &&
         CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void fill_random(std::byte* out, std::size_t size) {
  TROUPE_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(out),
                           static_cast<int>(size)) == 1,
                "no randomness to be had");
}

nonce_bytes random_nonce() {
  nonce_bytes nonce{};
  fill_random(nonce.data(), nonce.size());
  return nonce;
}

incarnation random_incarnation() {
  std::uint64_t value = 0;
  while (value == 0)
    fill_random(reinterpret_cast<std::byte*>(&value), sizeof value);
  return incarnation{value};
}

session_keys derive_keys(std::string_view secret, std::string_view dialer_hello,
                         std::string_view challenge,
                         std::string_view acceptor_hello) {
  const auto derive = [&](std::string_view label) {
    return prove(secret, label, {dialer_hello, challenge, acceptor_hello});
  };
  session_keys keys;
  keys.to_acceptor = as_key(derive("troupe-link-1 to acceptor"));
  keys.to_dialer = as_key(derive("troupe-link-1 to dialer"));
  const auto id = derive("troupe-link-1 id");
  std::uint64_t value = 0;
  std::memcpy(&value, id.data(), sizeof value);
  keys.link = link_id{value == 0 ? 1 : value};
  return keys;
}

} // namespace troupe::actors::links
