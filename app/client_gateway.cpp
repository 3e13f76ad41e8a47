// SPDX-License-Identifier: Apache-2.0
#include "app/client_gateway.hpp"

#include "actors/client_way.hpp"

#include <utility>

namespace troupe::app {
namespace {

class port final : public net::client_port {
public:
  port(caf::actor_system& system, actors::broker_context& context,
       actors::runtime::loop& home, core::client_link& link,
       std::uint64_t connection)
      : way_(system, context, &home, link, connection) {}

  void send(std::vector<core::client_command> commands) override {
    way_.send(std::move(commands));
  }
  void close(bool drop_will) override { way_.close(drop_will); }

private:
  actors::client_way way_;
};

} // namespace

std::unique_ptr<net::client_port>
client_gateway::open(actors::runtime::loop& home, core::client_link& link,
                     std::uint64_t connection) {
  return std::make_unique<port>(system_, context_, home, link, connection);
}

} // namespace troupe::app
