// SPDX-License-Identifier: Apache-2.0
#include "app/client_gateway.hpp"

#include "actors/client_way.hpp"

#include <utility>

namespace troupe::app {

class client_gateway::port final : public net::client_port {
public:
  port(caf::actor_system& system, actors::broker_context& context,
       actors::runtime::loop& home, core::client_link& link,
       std::uint64_t connection, std::shared_ptr<roll> on)
      : way_(system, context, &home, link, connection), on_(std::move(on)),
        number_(connection) {}

  void send(std::vector<core::client_command> commands) override {
    way_.send(std::move(commands));
    if (way_.actor() && !std::exchange(listed_, true)) {
      const std::lock_guard lock{on_->mutex};
      on_->actors.emplace(number_, way_.actor());
    }
  }
  void close(bool drop_will) override {
    if (std::exchange(listed_, false)) {
      const std::lock_guard lock{on_->mutex};
      on_->actors.erase(number_);
    }
    way_.close(drop_will);
  }

private:
  actors::client_way way_;
  std::shared_ptr<roll> on_;
  const std::uint64_t number_;
  bool listed_ = false;
};

actors::client_actor client_gateway::find(std::uint64_t connection) const {
  const std::lock_guard lock{roll_->mutex};
  const auto at = roll_->actors.find(connection);
  return at == roll_->actors.end() ? actors::client_actor{} : at->second;
}

std::unique_ptr<net::client_port>
client_gateway::open(actors::runtime::loop& home, core::client_link& link,
                     std::uint64_t connection) {
  return std::make_unique<port>(system_, context_, home, link, connection,
                                roll_);
}

} // namespace troupe::app
