// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "net/http_message.hpp"
#include "net/http_router.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::app {

using admin_handler =
    std::function<void(const net::http_request&, net::responder)>;

/// A handler that does what `inner` does and records it: who asked from where
/// for what, and the status of the answer, which goes out when its record is
/// kept. 503 while the sink has no room. `sink` outlives it.
[[nodiscard]] admin_handler audited(core::audit_sink& sink,
                                    admin_handler inner);

/// The body of a request as it may be recorded: JSON whose secrets (passwords,
/// tokens, names of devices) and payloads are replaced. "" of what is no JSON
/// or too long: nobody knows what is in it.
[[nodiscard]] std::string without_secrets(const std::string& body);

} // namespace troupe::app
