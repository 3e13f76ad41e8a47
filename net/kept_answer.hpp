// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "net/responder.hpp"

#include <functional>

namespace troupe::net {

/// Calls `send` with the responder when the audit's record with this ticket is
/// kept: at once, or later on the responder's loop, where `send` also dies.
/// Called on that loop. A null sink waits for nothing.
void answer_when_kept(core::audit_sink* sink, core::audit_ticket ticket,
                      responder to, std::function<void(const responder&)> send);

} // namespace troupe::net
