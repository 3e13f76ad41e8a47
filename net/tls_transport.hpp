// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/transport.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st; // OpenSSL's SSL_CTX
struct x509_st;    // OpenSSL's X509

namespace troupe::net {

/// The server side of TLS directly on `fd`, without a BIO pair: OpenSSL keeps
/// no buffers between records (SSL_MODE_RELEASE_BUFFERS). Use
/// tls_context::accept. Returns nullptr if memory is out.
std::unique_ptr<transport> make_tls_transport(ssl_ctx_st* context, int fd);

/// Subject of a certificate as RFC 2253 text, "" for none.
std::string certificate_subject(const x509_st* certificate);

} // namespace troupe::net
