// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_message.hpp"
#include "net/protocol_host.hpp"
#include "net/responder.hpp"
#include "net/ws/deflate_offer.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

/// Answers requests of one or more routes. Called on the loop of the
/// connection; shared by all loops, so it must be thread-safe.
class http_handler {
public:
  virtual ~http_handler() = default;
  /// Answers by `answer`, now or later on the same loop; after the handler
  /// time limit the client gets 503 and the answer is dropped.
  virtual void handle(const http_request& request, responder answer) = 0;
};

/// A handler made of a function.
std::shared_ptr<http_handler>
make_handler(std::function<void(const http_request&, responder)> function);

/// What was agreed on in an RFC 6455 handshake.
struct websocket_terms {
  std::string subprotocol; ///< "" if none
  /// Set if messages may be compressed (RFC 7692).
  std::optional<ws::deflate_agreement> deflate{};
  /// The request, for cookies, tokens and the path; for the call only.
  const http_request* request = nullptr;
};

struct websocket_options {
  /// Served by this route, in order of our preference; empty: the route is
  /// for clients whatever they offer, and none is chosen.
  std::vector<std::string> subprotocols;
  /// Origin fields let in; empty: all. Requests without one (no browser) are
  /// always let in.
  std::vector<std::string> origins;
  /// Grant permessage-deflate to clients that ask for it.
  bool deflate = false;
  /// Requests of the path that are no upgrade are for other routes that take
  /// it; otherwise they are refused.
  bool beside_others = false;
};

/// Makes what speaks after the handshake. Thread-safe.
using websocket_factory = std::function<std::unique_ptr<protocol>(
    const websocket_terms&, protocol_host&)>;

/// Makes it later, when it is known whether the client may come in. `head` is
/// the whole head of the 101; the answer is either responder::hand_over() with
/// it (and more fields, perhaps) or a refusal. Thread-safe; on the loop of the
/// connection.
using websocket_starter = std::function<void(
    const websocket_terms&, std::string head, responder answer)>;

/// Which path and method goes where. Built once, then shared read-only. A
/// path that ends in "/*" stands for all below it ("/api/*" has "/api" and
/// "/api/x"); the longest match wins.
class http_router {
public:
  /// `method` "" is any. A GET route also answers HEAD.
  void add(std::string method, std::string path,
           std::shared_ptr<http_handler> handler);
  /// GET with Upgrade: websocket. Several routes of one path differ by their
  /// subprotocols; one without any is taken last.
  void add_websocket(std::string path, websocket_options options,
                     websocket_factory factory);
  void add_websocket(std::string path, websocket_options options,
                     websocket_starter starter);

  struct websocket_route {
    std::string path;
    websocket_options options;
    websocket_factory factory; ///< or:
    websocket_starter starter{};
  };
  struct found {
    http_handler* handler = nullptr;
    /// Candidates of the path, if the request asks for an upgrade.
    std::vector<const websocket_route*> websockets{};
    /// Methods of the path, for 405; empty with no such path.
    std::string allowed{};
    bool upgrade_only = false; ///< the path is there, but for WebSocket
  };
  [[nodiscard]] found find(const http_request& request) const;

private:
  struct route {
    std::string method;
    std::string path;
    std::shared_ptr<http_handler> handler;
  };
  std::vector<route> routes_;
  std::vector<websocket_route> websockets_;
};

} // namespace troupe::net
