// SPDX-License-Identifier: Apache-2.0
#include "actors/links/link_network.hpp"

#include "actors/links/envelope.hpp"
#include "actors/links/secret_proof.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/timespan.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>

namespace troupe::actors::links {

namespace {

/// CAF makes a node's id from its network cards, its root file system and its
/// process number: containers that run the same image have all of them in
/// common, and CAF takes a peer with its own id for itself. So the id is drawn
/// at random, before the middleman reads it for the first time.
class link_middleman final : public caf::io::middleman {
public:
  explicit link_middleman(caf::actor_system& system)
      : caf::io::middleman(system), backend_(&system) {}

  caf::io::network::multiplexer& backend() override { return backend_; }

  void start() override {
    caf::node_id::default_data::host_id_type host{};
    fill_random(reinterpret_cast<std::byte*>(host.data()), host.size());
    std::uint32_t process = 0;
    fill_random(reinterpret_cast<std::byte*>(&process), sizeof process);
    // There is no other way in; the object itself is not constant.
    const_cast<caf::node_id&>(system().node()) =
        caf::make_node_id(process | 1U, host);
    caf::io::middleman::start();
  }

private:
  caf::io::network::default_multiplexer backend_;
};

core::error invalid(std::string what) {
  return {core::errc::invalid_config, std::move(what)};
}

std::string openssl_reason() {
  std::string text;
  while (const auto code = ERR_get_error()) {
    const auto* reason = ERR_reason_error_string(code);
    text += text.empty() ? "" : ", ";
    text += reason == nullptr ? "unknown error" : reason;
  }
  return text.empty() ? "unknown error" : text;
}

int give_passphrase(char* out, int size, int, void* text) {
  const auto& passphrase = *static_cast<const std::string*>(text);
  const auto count = passphrase.copy(out, static_cast<std::size_t>(size));
  return static_cast<int>(count);
}

} // namespace

core::result<void> check(const link_tls& tls) {
  if (tls.certificate.empty() || tls.key.empty() || tls.authority.empty())
    return invalid("links with TLS need a certificate, its key and the "
                   "authority of the cluster; at least one is missing");
  ERR_clear_error();
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{
      SSL_CTX_new(TLS_method()), SSL_CTX_free};
  if (!context)
    return invalid("OpenSSL: " + openssl_reason());
  auto* ssl = context.get();
  auto passphrase = tls.passphrase;
  SSL_CTX_set_default_passwd_cb(ssl, give_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(ssl, &passphrase);
  if (SSL_CTX_use_certificate_chain_file(ssl, tls.certificate.c_str()) != 1)
    return invalid(tls.certificate + ": no certificate: " + openssl_reason());
  if (SSL_CTX_use_PrivateKey_file(ssl, tls.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return invalid(tls.key + ": no private key: " + openssl_reason());
  if (SSL_CTX_check_private_key(ssl) != 1)
    return invalid(tls.key + ": not the key of " + tls.certificate);
  if (SSL_CTX_load_verify_locations(ssl, tls.authority.c_str(), nullptr) != 1)
    return invalid(tls.authority + ": no authority: " + openssl_reason());
  return {};
}

core::result<void> enable_links(caf::actor_system_config& config,
                                const link_tls& tls) {
  if (tls.wanted())
    if (auto good = check(tls); !good)
      return good.error();
  config.add_message_types<caf::id_block::troupe_links>();
  config.module_factories.push_back(
      [](caf::actor_system& system) -> caf::actor_system::module* {
        return new link_middleman{system};
      });
  // Readers in the background delay small messages and bring nothing here.
  config.set("middleman.workers", std::size_t{0});
  config.set("middleman.enable-automatic-connections", false);
  // Beats of the links find a silent peer; CAF's own would drop connections
  // whose handshake is under way at a tick.
  config.set("middleman.heartbeat-interval", caf::timespan{0});
  if (tls.wanted()) {
    config.openssl_certificate = tls.certificate;
    config.openssl_key = tls.key;
    config.openssl_cafile = tls.authority;
    config.openssl_passphrase = tls.passphrase;
    config.load<caf::openssl::manager>();
  }
  return {};
}

bool links_enabled(caf::actor_system& system) {
  return system.has_middleman() &&
         dynamic_cast<link_middleman*>(&system.middleman()) != nullptr;
}

bool links_encrypted(caf::actor_system& system) {
  return system.has_openssl_manager() &&
         system.openssl_manager().authentication_enabled();
}

} // namespace troupe::actors::links
