// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "net/session_port.hpp"

#include <memory>

namespace troupe::app {

/// Stands between connections and their sessions, and records what is asked and
/// what is answered: logins, posts, changes of users and lists. An answer goes
/// on when its record is as safe as the sink promises, and what the session
/// says behind it waits for it. While the sink has no room, what would be
/// recorded is refused as overloaded. Owned by the node, outlives the network;
/// without an audit there is none.
class audit_gateway final : public net::session_gateway {
public:
  /// Both outlive it.
  audit_gateway(net::session_gateway& inner, core::audit_sink& sink)
      : inner_(inner), sink_(sink) {}

  std::unique_ptr<net::session_port>
  open(actors::runtime::loop& home, core::session_link& link,
       const net::connection_info& info) override;

private:
  net::session_gateway& inner_;
  core::audit_sink& sink_;
};

} // namespace troupe::app
