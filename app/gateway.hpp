// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "net/session_port.hpp"

#include <caf/fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::app {

/// Gives every connection a session actor on its own loop. Owned by the node,
/// outlives the network. Thread-safe.
class actor_gateway final : public net::session_gateway {
public:
  actor_gateway(caf::actor_system& system, actors::broker_context& context,
                std::size_t loops);
  ~actor_gateway() override;

  std::unique_ptr<net::session_port>
  open(actors::runtime::loop& home, core::session_link& link,
       const net::connection_info& info) override;

  /// Who is logged in on a connection, as far as the session has said.
  struct identity {
    std::string uid;
    std::uint8_t device = 0;
  };
  /// For one loop, on that loop.
  [[nodiscard]] std::unordered_map<std::uint64_t, identity>
  identities(std::size_t loop) const;
  /// The session of a connection of one loop, on that loop; null handle if
  /// there is none.
  [[nodiscard]] actors::session_actor find(std::size_t loop,
                                           std::uint64_t connection) const;

  /// From now on sessions of users who may not be here any more are ended, at
  /// most half a second after the directory here says so.
  void watch_rights(const std::vector<actors::runtime::loop*>& loops);

  class port;

private:
  using ports = std::unordered_map<std::uint64_t, const port*>;
  /// What is kept for one loop, touched on that loop only.
  struct keeper : std::enable_shared_from_this<keeper> {
    ports all;
    std::uint64_t epoch_seen = 0;
    std::vector<std::uint64_t> to_judge; ///< connections
    std::uint64_t epoch_judged = 0;      ///< what those are judged by
  };
  static void look(const std::shared_ptr<keeper>& of,
                   actors::runtime::loop& home, const core::authorizer& judge);
  static void judge_some(const std::shared_ptr<keeper>& of,
                         actors::runtime::loop& home,
                         const core::authorizer& judge);

  caf::actor_system& system_;
  actors::broker_context& context_;
  std::vector<std::shared_ptr<keeper>> keepers_; // by loop
};

} // namespace troupe::app
