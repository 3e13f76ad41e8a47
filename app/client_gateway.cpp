// SPDX-License-Identifier: Apache-2.0
#include "app/client_gateway.hpp"

#include "actors/client_actor.hpp"
#include "actors/messages.hpp"
#include "actors/runtime/pinned.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::app {
namespace {

class port final : public net::client_port {
public:
  port(actors::client_actor client, std::shared_ptr<actors::client_line> line)
      : client_(std::move(client)), line_(std::move(line)) {}

  void send(std::vector<core::client_command> commands) override {
    caf::anon_send(client_, actors::client_commands{std::move(commands)});
  }
  void close(bool drop_will) override {
    line_->link = nullptr;
    send({core::client_command{core::close_client{drop_will}}});
  }

private:
  actors::client_actor client_;
  std::shared_ptr<actors::client_line> line_;
};

} // namespace

std::unique_ptr<net::client_port>
client_gateway::open(actors::runtime::loop& home, core::client_link& link,
                     std::uint64_t connection) {
  auto line = std::make_shared<actors::client_line>();
  line->link = &link;
  auto client =
      actors::runtime::spawn_pinned<actors::client_actor, actors::client_state>(
          system_, &home, actors::client_behavior,
          actors::client_deps{&context_, line, connection});
  return std::make_unique<port>(std::move(client), std::move(line));
}

} // namespace troupe::app
