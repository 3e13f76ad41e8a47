// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

/// What a client says in a SCRAM exchange (RFC 5802 §5.1 and §7), read. Pure.
/// Errors are malformed, with a text for whoever writes a client; it tells
/// nothing but what is in the message.
namespace troupe::net::identity {

inline constexpr std::size_t scram_message_bytes_max = 2048;
inline constexpr std::size_t scram_nonce_bytes_max = 256;

struct scram_client_first {
  std::string header; ///< GS2: what the final message has to repeat
  std::string bare;   ///< the rest
  std::string user;   ///< =2C and =3D are characters again
  std::string nonce;
};

/// A name is printable ASCII: nothing here prepares other text (SASLprep, RFC
/// 4013), and clients would differ in what they make of it. Refused are
/// channel binding, extensions that are mandatory (m=), and acting for another
/// user.
[[nodiscard]] core::result<scram_client_first>
parse_scram_client_first(std::string_view message);

struct scram_client_final {
  std::string header; ///< as the channel binding repeats it
  std::string nonce;
  std::string without_proof; ///< the message as far as it is proven
  std::string proof;         ///< bytes
};

[[nodiscard]] core::result<scram_client_final>
parse_scram_client_final(std::string_view message);

/// Whether SASLprep would leave it as it is: printable ASCII, not empty.
[[nodiscard]] bool is_plain_text(std::string_view text) noexcept;

} // namespace troupe::net::identity
