// SPDX-License-Identifier: Apache-2.0
#include "net/identity/scram_verifier.hpp"

#include "net/identity/base64.hpp"
#include "net/identity/digest.hpp"
#include "net/identity/scram_message.hpp"

#include <openssl/rand.h>

#include <charconv>
#include <utility>

namespace troupe::net::identity {
namespace {

constexpr std::string_view scheme = "SCRAM-SHA-256$";
constexpr std::size_t salt_bytes = 16;

/// Up to the separator, which goes, too.
std::optional<std::string_view> take(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  if (end == rest.npos)
    return std::nullopt;
  const auto found = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return found;
}

} // namespace

scram_verifier make_scram_verifier(std::string_view password,
                                   std::string_view salt,
                                   std::uint32_t iterations) {
  const auto salted = pbkdf2_sha256(password, salt, iterations);
  scram_verifier made;
  made.iterations = iterations;
  made.salt = salt;
  made.stored_key = sha256(hmac_sha256(salted, "Client Key"));
  made.server_key = hmac_sha256(salted, "Server Key");
  return made;
}

core::result<scram_verifier> make_scram_verifier(std::string_view password,
                                                 std::uint32_t iterations) {
  if (!is_plain_text(password))
    return core::error{core::errc::malformed,
                       "a password beyond printable ASCII"};
  std::string salt(salt_bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()),
                 static_cast<int>(salt.size())) != 1)
    return core::error{core::errc::io_error, "no random numbers"};
  return make_scram_verifier(password, salt, iterations);
}

std::string to_text(const scram_verifier& from) {
  return std::string{scheme} + std::to_string(from.iterations) + ':' +
         to_base64(from.salt) + '$' + to_base64(from.stored_key) + ':' +
         to_base64(from.server_key);
}

std::optional<scram_verifier> parse_scram_verifier(std::string_view text) {
  if (!text.starts_with(scheme))
    return std::nullopt;
  text.remove_prefix(scheme.size());
  const auto count = take(text, ':');
  const auto salt = take(text, '$');
  const auto stored = take(text, ':');
  if (!count || !salt || !stored)
    return std::nullopt;
  scram_verifier read;
  const auto* end = count->data() + count->size();
  const auto [stop, code] =
      std::from_chars(count->data(), end, read.iterations);
  auto salt_read = from_base64(*salt);
  auto stored_read = from_base64(*stored);
  auto server_read = from_base64(text);
  if (code != std::errc{} || stop != end || read.iterations == 0 ||
      !salt_read || salt_read->empty() || !stored_read ||
      stored_read->size() != sha256_bytes || !server_read ||
      server_read->size() != sha256_bytes)
    return std::nullopt;
  read.salt = std::move(*salt_read);
  read.stored_key = std::move(*stored_read);
  read.server_key = std::move(*server_read);
  return read;
}

scram_verifier decoy_verifier(std::string_view secret, std::string_view name,
                              std::uint32_t iterations) {
  const auto drawn = [&](std::string_view what) {
    return hmac_sha256(secret, std::string{what} + '\0' + std::string{name});
  };
  scram_verifier made;
  made.iterations = iterations;
  made.salt = drawn("salt").substr(0, salt_bytes);
  made.stored_key = drawn("stored key");
  made.server_key = drawn("server key");
  return made;
}

} // namespace troupe::net::identity
