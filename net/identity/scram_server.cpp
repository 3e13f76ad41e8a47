// SPDX-License-Identifier: Apache-2.0
#include "net/identity/scram_server.hpp"

#include "net/identity/base64.hpp"
#include "net/identity/digest.hpp"

#include <openssl/rand.h>

#include <cstddef>
#include <utility>

namespace troupe::net::identity {

constexpr std::size_t nonce_bytes = 18;

core::result<std::string> make_scram_nonce() {
  std::string random(nonce_bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()),
                 static_cast<int>(random.size())) != 1)
    return core::error{core::errc::io_error, "no random numbers"};
  return to_base64(random);
}

core::result<std::string> scram_server::on_first(std::string_view message) {
  auto read = parse_scram_client_first(message);
  if (!read)
    return read.error();
  first_ = std::move(*read);
  nonce_.insert(0, first_.nonce);
  return first_.user;
}

std::string scram_server::challenge(scram_verifier of) {
  verifier_ = std::move(of);
  challenge_ = "r=" + nonce_ + ",s=" + to_base64(verifier_.salt) +
               ",i=" + std::to_string(verifier_.iterations);
  return challenge_;
}

core::result<std::string> scram_server::on_final(std::string_view message) {
  const auto read = parse_scram_client_final(message);
  if (!read)
    return read.error();
  if (read->header != first_.header)
    return core::error{core::errc::malformed, "another channel binding"};
  if (read->nonce != nonce_)
    return core::error{core::errc::malformed, "another nonce"};
  const auto proven =
      first_.bare + ',' + challenge_ + ',' + read->without_proof;
  // ClientKey is what the proof and its signature differ in; its hash is what
  // is kept (RFC 5802 §3).
  auto key = hmac_sha256(verifier_.stored_key, proven);
  for (std::size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<char>(key[i] ^ read->proof[i]);
  const auto signature = hmac_sha256(verifier_.server_key, proven);
  if (!same_digest(sha256(key), verifier_.stored_key))
    return core::errc::not_permitted;
  return "v=" + to_base64(signature);
}

} // namespace troupe::net::identity
