// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include "net/tls_transport.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>

namespace troupe::net {

namespace {

using context_ptr = std::shared_ptr<SSL_CTX>;

// What OpenSSL complained about, and clears it: the queue belongs to the
// thread and must not leak into the next call.
std::string openssl_error() {
  std::array<char, 256> text{};
  auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0)
    return "unknown error";
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

core::error refused(const std::string& what, const std::string& path) {
  return {core::errc::invalid_config,
          "tls: " + what + " '" + path + "': " + openssl_error()};
}

// RFC 7301: we speak http/1.1 on TLS and, for clients that name a protocol of
// ours or none at all, whatever the first bytes say.
int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_length,
                const unsigned char* offered, unsigned int offered_length,
                void*) {
  static constexpr unsigned char ours[] = {8,   'h', 't', 't', 'p',
                                           '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, ours, sizeof ours, offered,
                            offered_length) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

bool set_policy(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Buffers are given back between records, so an idle connection keeps none;
  // the output queue may move between two tries of one write.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS |
                                SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // One ticket instead of two: half the bytes, and browsers use one.
  SSL_CTX_set_num_tickets(context, 1);
  static constexpr unsigned char session_context[] = "troupe";
  SSL_CTX_set_session_id_context(context, session_context,
                                 sizeof session_context - 1);
  SSL_CTX_set_alpn_select_cb(context, &choose_alpn, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(
             context, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL") == 1;
}

core::result<void> set_clients(SSL_CTX* context, const tls_options& options) {
  if (options.clients == client_certificates::off)
    return {};
  const auto& path = options.client_ca_path;
  if (SSL_CTX_load_verify_file(context, path.c_str()) != 1)
    return refused("can't read the client authorities", path);
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(path.c_str()));
  int mode = SSL_VERIFY_PEER;
  if (options.clients == client_certificates::required)
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, nullptr);
  return {};
}

core::result<context_ptr> build(const tls_options& options) {
  ERR_clear_error();
  context_ptr context{SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
  if (!context || !set_policy(context.get()))
    return refused("can't set up OpenSSL for", options.certificate_path);
  // A key with a pass phrase would otherwise ask on the terminal.
  SSL_CTX_set_default_passwd_cb(context.get(),
                                [](char*, int, int, void*) { return -1; });
  if (SSL_CTX_use_certificate_chain_file(context.get(),
                                         options.certificate_path.c_str()) != 1)
    return refused("can't read the certificate", options.certificate_path);
  if (SSL_CTX_use_PrivateKey_file(context.get(), options.key_path.c_str(),
                                  SSL_FILETYPE_PEM) != 1)
    return refused("can't use the key", options.key_path);
  if (SSL_CTX_check_private_key(context.get()) != 1)
    return refused("the certificate does not belong to the key",
                   options.key_path);
  if (auto set = set_clients(context.get(), options); !set)
    return set.error();
  return context;
}

} // namespace

core::result<std::shared_ptr<tls_context>>
tls_context::load(tls_options options) {
  std::shared_ptr<tls_context> fresh{new tls_context{std::move(options)}};
  if (auto loaded = fresh->reload(); !loaded)
    return loaded.error();
  return fresh;
}

core::result<void> tls_context::reload() {
  auto built = build(options_);
  if (!built)
    return built.error();
  std::lock_guard lock{mutex_};
  context_ = std::move(built).value();
  return {};
}

std::shared_ptr<ssl_ctx_st> tls_context::current() const {
  std::lock_guard lock{mutex_};
  return context_;
}

std::unique_ptr<transport> tls_context::accept(int fd) const {
  return make_tls_transport(current().get(), fd);
}

std::string tls_context::subject() const {
  auto context = current();
  return certificate_subject(SSL_CTX_get0_certificate(context.get()));
}

core::timestamp tls_context::expires() const {
  auto context = current();
  std::tm parts{};
  const auto* leaf = SSL_CTX_get0_certificate(context.get());
  if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &parts) != 1)
    return {};
  return core::from_millis(std::int64_t{::timegm(&parts)} * 1000);
}

} // namespace troupe::net
