// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/broker.hpp"
#include "app/settings.hpp"
#include "core/authorizer.hpp"
#include "core/result.hpp"
#include "net/identity/node_authenticator.hpp"

#include <memory>
#include <string>

/// Credentials and rights as the configuration wants them.
namespace troupe::app {

/// REQUIRES: check_together() found nothing wrong.
[[nodiscard]] core::authorizer_options
rights_options(const auth_settings& from);

/// invalid_config or io_error if keys or a secret cannot be had. `engine` must
/// live longer. `cluster_secret`: "" of a node alone.
[[nodiscard]] core::result<std::unique_ptr<net::identity::node_authenticator>>
make_authenticator(const settings& from, broker& engine,
                   const std::string& cluster_secret);

} // namespace troupe::app
