// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/metrics_text.hpp"
#include "core/authorizer.hpp"
#include "net/identity/node_authenticator.hpp"

namespace troupe::app {

/// Logins, refusals and sessions that were ended, by reason.
void add_rights(metrics_writer& out, const core::rights_stats& stats,
                const net::identity::node_authenticator& logins);

} // namespace troupe::app
