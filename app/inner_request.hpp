// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_message.hpp"
#include "net/responder.hpp"

#include <functional>

namespace troupe::app {

/// Answers a request on the loop it is called on, now or later.
using http_server =
    std::function<void(const net::http_request&, net::responder)>;

using http_reply = std::function<void(net::http_response)>;

/// Has a handler of the admin listener answer a request that came over no
/// connection. `reply` is called once, on this loop, after 8 s at the latest
/// (504 then); streams are refused (501). On a loop only.
void run_inner_request(const http_server& server,
                       const net::http_request& request, http_reply reply);

} // namespace troupe::app
