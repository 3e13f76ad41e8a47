// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/hello_codec.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

/// How a node shows that it knows the cluster secret without saying it, with
/// OpenSSL's HMAC-SHA-256. Pure but for the random source.
namespace troupe::actors::links {

/// HMAC-SHA-256 over a label and some parts, each preceded by its length, so
/// that no two different lists give the same bytes. The label tells apart who
/// proves what.
proof_bytes prove(std::string_view secret, std::string_view label,
                  std::initializer_list<std::string_view> parts);
/// In constant time.
[[nodiscard]] bool same_proof(const proof_bytes& a, core::bytes_view b);

/// From the operating system's source; ends the process if there is none.
void fill_random(std::byte* out, std::size_t size);
nonce_bytes random_nonce();
incarnation random_incarnation();

/// Known to both sides of a finished handshake and to nobody else who does
/// not know the secret.
struct session_keys {
  link_id link;
  std::string to_acceptor; ///< key of the tags the dialer makes
  std::string to_dialer;
};
session_keys derive_keys(std::string_view secret, std::string_view dialer_hello,
                         std::string_view challenge,
                         std::string_view acceptor_hello);

} // namespace troupe::actors::links
