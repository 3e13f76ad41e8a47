// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_router.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::net {

/// The answer to an RFC 6455 opening handshake (4.2): either the terms and
/// the bytes of the 101 response, or what to answer instead.
struct websocket_accepted {
  const http_router::websocket_route* route = nullptr;
  websocket_terms terms;
  std::string response;
};
using websocket_answer = std::variant<websocket_accepted, http_response>;

/// REQUIRES: !routes.empty().
websocket_answer answer_handshake(
    const http_request& request,
    const std::vector<const http_router::websocket_route*>& routes);

/// Sec-WebSocket-Accept of a Sec-WebSocket-Key (RFC 6455 4.2.2, 5.4).
std::string websocket_accept_key(std::string_view key);

} // namespace troupe::net
