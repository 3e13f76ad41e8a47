// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <caf/fwd.hpp>

#include <string>

/// The actor system's own network, as far as links need it.
namespace troupe::actors::links {

/// Files in PEM form. All three or none: a certificate alone would encrypt
/// without knowing with whom.
struct link_tls {
  std::string certificate; ///< of this node, with its chain
  std::string key;
  std::string authority; ///< whose certificates peers must have
  std::string passphrase{};

  [[nodiscard]] bool wanted() const {
    return !certificate.empty() || !key.empty() || !authority.empty();
  }
};

/// Whether the files can be read, fit together and are complete.
core::result<void> check(const link_tls& tls);

/// Makes an actor system that will be built from `config` able to have links:
/// loads CAF's middleman (and its OpenSSL module for TLS) and the envelope's
/// type. Nothing listens by that. Call it for nodes with a cluster address
/// only, before the actor system is made; others then have no network thread
/// at all. Fails, rather than falling back to ciphers without certificates,
/// if TLS is wanted and incomplete.
core::result<void> enable_links(caf::actor_system_config& config,
                                const link_tls& tls);

/// The system was built from a config that enable_links() has prepared.
[[nodiscard]] bool links_enabled(caf::actor_system& system);
/// Links of this system speak TLS.
[[nodiscard]] bool links_encrypted(caf::actor_system& system);

} // namespace troupe::actors::links
