// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "net/transport.hpp"

#include <memory>
#include <mutex>
#include <string>

struct ssl_ctx_st; // OpenSSL's SSL_CTX

namespace troupe::net {

enum class client_certificates : std::uint8_t {
  off,      ///< not asked for
  optional, ///< asked for; verified if the client sends one
  required, ///< a handshake without a valid one fails
};

struct tls_options {
  /// PEM: the leaf certificate first, then the chain.
  std::string certificate_path;
  /// PEM, not encrypted.
  std::string key_path;
  client_certificates clients = client_certificates::off;
  /// PEM bundle that client certificates must lead to; needed unless `off`.
  std::string client_ca_path;
};

/// The certificate and key that TLS connections are accepted with: TLS 1.2
/// and 1.3, forward secret AEAD suites only, ALPN http/1.1, no renegotiation,
/// no compression. Shared by all loops; thread-safe.
class tls_context {
public:
  /// Reads and checks the files. Fails with invalid_config and a text that
  /// names the file if one can't be read, is not PEM, or if the key does not
  /// belong to the certificate.
  static core::result<std::shared_ptr<tls_context>> load(tls_options options);

  /// Reads the files again. New connections use what was read; open ones keep
  /// what they began with. On failure nothing changes.
  core::result<void> reload();

  /// A server-side stream over `fd`, before its handshake; nullptr if memory
  /// is out. `fd` must be non-blocking and outlive the transport.
  [[nodiscard]] std::unique_ptr<transport> accept(int fd) const;

  /// Subject of the certificate in use (RFC 2253) and the end of its
  /// validity, for the admin port.
  [[nodiscard]] std::string subject() const;
  [[nodiscard]] core::timestamp expires() const;

private:
  explicit tls_context(tls_options options) : options_(std::move(options)) {}
  [[nodiscard]] std::shared_ptr<ssl_ctx_st> current() const;

  tls_options options_;
  mutable std::mutex mutex_;
  std::shared_ptr<ssl_ctx_st> context_; // guarded by mutex_
};

} // namespace troupe::net
