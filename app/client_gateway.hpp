// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "net/client_space.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

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

  /// The actor of a connection's client; none: there is none. Any thread.
  [[nodiscard]] actors::client_actor find(std::uint64_t connection) const;

private:
  /// By the number of the connection, as long as that is there.
  struct roll {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, actors::client_actor> actors;
  };
  class port;

  caf::actor_system& system_;
  actors::broker_context& context_;
  const std::shared_ptr<roll> roll_ = std::make_shared<roll>();
};

} // namespace troupe::app
