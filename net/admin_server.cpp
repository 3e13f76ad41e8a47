// SPDX-License-Identifier: Apache-2.0
#include "net/admin_server.hpp"

#include "core/principal.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::net {

namespace {

using digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

digest sha256(std::string_view text) {
  digest out{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         out.data());
  return out;
}

} // namespace

bool bears_token(std::string_view authorization, std::string_view token) {
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.size() < scheme.size() ||
      !equal_ignoring_case(authorization.substr(0, scheme.size()), scheme))
    return false;
  // Digests have one length, so the comparison tells nothing about the
  // token's.
  auto ours = sha256(token);
  auto theirs = sha256(authorization.substr(scheme.size()));
  return CRYPTO_memcmp(ours.data(), theirs.data(), ours.size()) == 0;
}

core::result<ip_endpoint>
open_admin_server(network& sockets, std::shared_ptr<const http_router> router,
                  admin_options options) {
  auto by_certificate =
      options.certificate && options.client_certificates_required;
  if (options.token.empty() && !by_certificate &&
      !options.endpoint.address.is_loopback())
    return core::error{core::errc::invalid_config,
                       "the admin port on " + to_string(options.endpoint) +
                           " needs a token or client certificates"};
  auto http = std::move(options.http);
  if (!options.token.empty())
    http.authorize =
        [token = std::move(options.token), open = std::move(options.open_paths),
         audit = std::move(options.audit)](
            const http_request& request,
            const connection_info& from) -> std::optional<http_response> {
      if (std::find(open.begin(), open.end(), request.path) != open.end() ||
          bears_token(request.header("Authorization"), token))
        return std::nullopt;
      const auto why = request.header("Authorization").empty()
                           ? core::deny_reason::no_credentials
                           : core::deny_reason::wrong_credentials;
      audit.note(from, {core::audit_kind::admin,
                        {},
                        request.path,
                        request.method,
                        core::to_string(why)});
      auto refused = http_error(401, "a bearer token is needed");
      refused.headers.emplace_back("WWW-Authenticate", "Bearer");
      return refused;
    };
  auto served = std::make_shared<door>();
  served->protocols[sniffed::http] =
      make_http(std::move(router), std::move(http));
  if (options.certificate) {
    served->tls = tls_policy::required;
    served->certificate = std::move(options.certificate);
  }
  return sockets.listen({options.endpoint, std::move(served)});
}

} // namespace troupe::net
