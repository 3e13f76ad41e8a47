// SPDX-License-Identifier: Apache-2.0
#include "net/admin_server.hpp"

#include "core/principal.hpp"

#include <boost/asio/ip/address.hpp>
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

bool is_loopback_name(std::string_view host) {
  boost::system::error_code bad;
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == std::string_view::npos)
      return false;
    const auto address = boost::asio::ip::make_address_v6(
        std::string{host.substr(1, end - 1)}, bad);
    return !bad && address.is_loopback();
  }
  host = host.substr(0, host.find(':'));
  const auto address = boost::asio::ip::make_address_v4(std::string{host}, bad);
  return bad ? equal_ignoring_case(host, "localhost") : address.is_loopback();
}

/// A browser sends requests for any page that it shows. Without a token nobody
/// may reach this listener under a name that was pointed here; what changes
/// something must come from a page of this listener (its Origin says so); and
/// pages of others may lead here, but not read on behalf of their reader.
bool is_foreign(const http_request& request, bool has_token) {
  const auto host = request.header("Host");
  if (!has_token && !host.empty() && !is_loopback_name(host))
    return true;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const auto site = request.header("Sec-Fetch-Site");
  if (site == "cross-site" || site == "same-site")
    return !reads || request.header("Sec-Fetch-Dest") != "document";
  const auto origin = request.header("Origin");
  if (origin.empty() || reads)
    return false;
  const auto scheme = origin.find("://");
  return scheme == std::string_view::npos ||
         !equal_ignoring_case(origin.substr(scheme + 3), host);
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
  http.authorize =
      [token = std::move(options.token), by_certificate,
       open = std::move(options.open_paths), audit = std::move(options.audit)](
          const http_request& request,
          const connection_info& from) -> std::optional<http_response> {
    if (is_foreign(request, !token.empty() || by_certificate))
      return http_error(403, "not for pages of other origins");
    if (token.empty() ||
        std::find(open.begin(), open.end(), request.path) != open.end() ||
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
