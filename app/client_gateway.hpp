// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "net/client_space.hpp"

#include <caf/fwd.hpp>

namespace troupe::app {

/// Gives the client of a connection its way to its session, on the connection's
/// loop. Owned by the node, outlives the network. Thread-safe.
class client_gateway final : public net::client_space {
public:
  /// Both outlive the network's connections.
  client_gateway(caf::actor_system& system, actors::broker_context& context)
      : system_(system), context_(context) {}

  std::unique_ptr<net::client_port> open(actors::runtime::loop& home,
                                         core::client_link& link,
                                         std::uint64_t connection) override;

private:
  caf::actor_system& system_;
  actors::broker_context& context_;
};

} // namespace troupe::app
