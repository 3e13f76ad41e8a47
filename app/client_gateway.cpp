// SPDX-License-Identifier: Apache-2.0
#include "app/client_gateway.hpp"

#include "actors/client_actor.hpp"
#include "actors/messages.hpp"
#include "actors/runtime/pinned.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::app {

class client_gateway::port final : public net::client_port {
public:
  port(actors::client_actor client, std::shared_ptr<actors::client_line> line,
       std::shared_ptr<roll> on, std::uint64_t number)
      : client_(std::move(client)), line_(std::move(line)), on_(std::move(on)),
        number_(number) {
    const std::lock_guard lock{on_->mutex};
    on_->actors.emplace(number_, client_);
  }

  void send(std::vector<core::client_command> commands) override {
    caf::anon_send(client_, actors::client_commands{std::move(commands)});
  }
  void close(bool drop_will) override {
    line_->link = nullptr;
    send({core::client_command{core::close_client{drop_will}}});
    const std::lock_guard lock{on_->mutex};
    on_->actors.erase(number_);
  }

private:
  actors::client_actor client_;
  std::shared_ptr<actors::client_line> line_;
  std::shared_ptr<roll> on_;
  const std::uint64_t number_;
};

actors::client_actor client_gateway::find(std::uint64_t connection) const {
  const std::lock_guard lock{roll_->mutex};
  const auto at = roll_->actors.find(connection);
  return at == roll_->actors.end() ? actors::client_actor{} : at->second;
}

std::unique_ptr<net::client_port>
client_gateway::open(actors::runtime::loop& home, core::client_link& link,
                     std::uint64_t connection) {
  auto line = std::make_shared<actors::client_line>();
  line->link = &link;
  auto client =
      actors::runtime::spawn_pinned<actors::client_actor, actors::client_state>(
          system_, &home, actors::client_behavior,
          actors::client_deps{&context_, line, connection});
  return std::make_unique<port>(std::move(client), std::move(line), roll_,
                                connection);
}

} // namespace troupe::app
