// SPDX-License-Identifier: Apache-2.0
#include "net/websocket_handshake.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <optional>

namespace troupe::net {

namespace {

using route = http_router::websocket_route;

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::string text((size + 2) / 3 * 4 + 1, '\0');
  auto length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                bytes, static_cast<int>(size));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

// RFC 6455 4.1: base64 of 16 bytes: 22 characters and "==".
bool valid_key(std::string_view key) {
  auto digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.begin() + 22, digit);
}

bool origin_allowed(const route& r, std::string_view origin) {
  const auto& allowed = r.options.origins;
  return origin.empty() || allowed.empty() ||
         std::any_of(allowed.begin(), allowed.end(), [&](const auto& known) {
           return equal_ignoring_case(known, origin);
         });
}

struct choice {
  const route* taken = nullptr;
  std::string subprotocol;
};

// A route that names subprotocols is for clients that offer one of them; one
// without is for all others.
choice choose(const std::vector<const route*>& routes,
              const std::vector<std::string_view>& offered) {
  for (const auto* r : routes)
    for (const auto& ours : r->options.subprotocols)
      if (std::find(offered.begin(), offered.end(), ours) != offered.end())
        return {r, ours};
  for (const auto* r : routes)
    if (r->options.subprotocols.empty())
      return {r, {}};
  return {};
}

std::optional<http_response> check(const http_request& request) {
  if (request.version != 11 || !request.header_has("Connection", "Upgrade"))
    return http_error(400, "malformed upgrade");
  if (request.header("Sec-WebSocket-Version") != "13") {
    auto answer = http_error(426, "WebSocket version 13 only");
    answer.headers.emplace_back("Sec-WebSocket-Version", "13");
    answer.headers.emplace_back("Upgrade", "websocket");
    return answer;
  }
  if (!valid_key(request.header("Sec-WebSocket-Key")))
    return http_error(400, "malformed Sec-WebSocket-Key");
  if (!request.body.empty())
    return http_error(400, "an upgrade has no body");
  return std::nullopt;
}

} // namespace

std::string websocket_accept_key(std::string_view key) {
  std::string text{key};
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       digest.data());
  return base64(digest.data(), digest.size());
}

websocket_answer answer_handshake(const http_request& request,
                                  const std::vector<const route*>& routes) {
  if (auto refused = check(request))
    return *std::move(refused);
  auto chosen = choose(routes, request.header_list("Sec-WebSocket-Protocol"));
  if (chosen.taken == nullptr)
    return http_error(400, "no subprotocol served here was offered");
  if (!origin_allowed(*chosen.taken, request.header("Origin")))
    return http_error(403, "origin not allowed");
  websocket_accepted accepted;
  accepted.route = chosen.taken;
  accepted.terms.subprotocol = chosen.subprotocol;
  accepted.terms.request = &request;
  if (chosen.taken->options.deflate) {
    // Several fields count as one list (RFC 6455 9.1).
    std::string offered;
    for (auto token : request.header_list("Sec-WebSocket-Extensions"))
      offered.append(offered.empty() ? "" : ", ").append(token);
    accepted.terms.deflate = ws::accept_deflate_offer(offered);
  }
  auto& out = accepted.response;
  out = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: ";
  out += websocket_accept_key(request.header("Sec-WebSocket-Key"));
  out += "\r\n";
  if (!chosen.subprotocol.empty())
    out += "Sec-WebSocket-Protocol: " + chosen.subprotocol + "\r\n";
  if (accepted.terms.deflate)
    out += "Sec-WebSocket-Extensions: " +
           ws::deflate_response(*accepted.terms.deflate) + "\r\n";
  out += "\r\n";
  return accepted;
}

} // namespace troupe::net
