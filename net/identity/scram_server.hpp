// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "net/identity/scram_message.hpp"
#include "net/identity/scram_verifier.hpp"

#include <string>
#include <string_view>

namespace troupe::net::identity {

/// The server's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677). Pure:
/// random numbers and what is known of the user come from outside.
///
///   client-first → on_first(), challenge() → server-first
///   client-final → on_final()              → server-final
class scram_server {
public:
  /// `nonce`: fresh, printable, without a comma.
  explicit scram_server(std::string nonce) : nonce_(std::move(nonce)) {}

  /// Who it claims to be. malformed: the exchange is over.
  [[nodiscard]] core::result<std::string> on_first(std::string_view message);
  /// REQUIRES: on_first() was good.
  [[nodiscard]] std::string challenge(scram_verifier of);
  /// not_permitted: the proof is wrong; malformed. REQUIRES: challenge().
  [[nodiscard]] core::result<std::string> on_final(std::string_view message);

private:
  std::string nonce_; ///< from the first message on with the client's before it
  scram_client_first first_;
  scram_verifier verifier_;
  std::string challenge_;
};

/// A fresh one. io_error: no random numbers.
[[nodiscard]] core::result<std::string> make_scram_nonce();

} // namespace troupe::net::identity
