// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Agreeing on permessage-deflate (RFC 7692) in the opening handshake: pure
/// functions over the Sec-WebSocket-Extensions header.
///
/// Troupe always asks for, and grants, "no context takeover" in both
/// directions: a context would cost some 300 KB for each idle connection.
namespace troupe::net::ws {

/// What both sides agreed on.
struct deflate_agreement {
  /// The server's compressor looks back 2^bits bytes, 9..15.
  std::uint8_t server_window_bits = 15;
  /// The client's, 9..15.
  std::uint8_t client_window_bits = 15;

  friend bool operator==(const deflate_agreement&,
                         const deflate_agreement&) = default;
};

/// A server's choice out of the client's header value: the first offer of
/// permessage-deflate that can be granted, else nothing (no compression).
[[nodiscard]] std::optional<deflate_agreement>
accept_deflate_offer(std::string_view extensions);

/// The header value with which a server grants it.
[[nodiscard]] std::string deflate_response(const deflate_agreement& agreement);

/// The header value with which our own client asks.
[[nodiscard]] std::string_view deflate_offer();

/// A client's reading of the server's answer to deflate_offer().
struct deflate_answer {
  bool acceptable = false; ///< false: the client must fail the connection
  std::optional<deflate_agreement> agreement{}; ///< unset: no compression
};
[[nodiscard]] deflate_answer read_deflate_response(std::string_view extensions);

} // namespace troupe::net::ws
