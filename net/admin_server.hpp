// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "net/audit_pen.hpp"
#include "net/http_front.hpp"
#include "net/ip_endpoint.hpp"
#include "net/network.hpp"
#include "net/tls_context.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

struct admin_options {
  ip_endpoint endpoint{boost::asio::ip::address_v4::loopback(), 9090};
  /// Every request but those to open_paths must bear it ("Authorization:
  /// Bearer …"). Empty: no check, which only a loopback address or required
  /// client certificates allow.
  std::string token;
  /// Set: TLS only, with these certificates.
  std::shared_ptr<tls_context> certificate;
  /// Clients must show a certificate (the tls_context requires them).
  bool client_certificates_required = false;
  /// For probes that can't know a token, and pages that ask for it.
  std::vector<std::string> open_paths{"/livez", "/readyz"};
  http_options http;
  /// Has a note of each request that does not bear it.
  audit_pen audit{};
};

/// Serves the admin port over HTTP with the machinery of every other
/// connection. Answers where it listens; invalid_config if the address is
/// open to a network and nothing protects it. Refuses what a browser asks for
/// on behalf of pages from elsewhere: changes with a foreign Origin, reading
/// from another site (Sec-Fetch-Site) unless it leads here, and without a
/// token every Host that is not this machine's loopback.
core::result<ip_endpoint>
open_admin_server(network& sockets, std::shared_ptr<const http_router> router,
                  admin_options options);

/// Whether an Authorization field is "Bearer <token>". Takes the same time
/// whatever the field is.
[[nodiscard]] bool bears_token(std::string_view authorization,
                               std::string_view token);

} // namespace troupe::net
