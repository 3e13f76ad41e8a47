// SPDX-License-Identifier: Apache-2.0
#include "app/gateway.hpp"

#include "actors/runtime/loop.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/session_actor.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::app {

/// Keeps a session reachable for the admin listener while its connection
/// lives.
class actor_gateway::port final : public net::session_port {
public:
  port(ports& all, std::uint64_t number, actors::session_actor session,
       std::shared_ptr<actors::session_line> line)
      : all_(all), number_(number), session_(std::move(session)),
        line_(std::move(line)) {
    all_.emplace(number_, this);
  }
  ~port() override { all_.erase(number_); }
  port(const port&) = delete;
  port& operator=(const port&) = delete;

  void send(std::vector<core::session_command> commands) override {
    caf::anon_send(session_, actors::session_commands{std::move(commands)});
  }

  void close() override {
    line_->link = nullptr;
    std::vector<core::session_command> last;
    last.emplace_back(core::close_session{});
    send(std::move(last));
  }

  [[nodiscard]] const actors::session_actor& session() const {
    return session_;
  }
  [[nodiscard]] const actors::session_line& line() const { return *line_; }

private:
  ports& all_;
  std::uint64_t number_;
  actors::session_actor session_;
  std::shared_ptr<actors::session_line> line_;
};

actor_gateway::actor_gateway(caf::actor_system& system,
                             actors::broker_context& context, std::size_t loops)
    : system_(system), context_(context) {
  for (std::size_t i = 0; i < loops; ++i)
    ports_.push_back(std::make_unique<ports>());
}

actor_gateway::~actor_gateway() = default;

std::unique_ptr<net::session_port>
actor_gateway::open(actors::runtime::loop& home, core::session_link& link,
                    const net::connection_info& info) {
  auto line = std::make_shared<actors::session_line>();
  line->link = &link;
  actors::session_deps deps;
  deps.context = &context_;
  deps.line = line;
  deps.number = info.id.value();
  deps.peer = to_string(info.peer);
  deps.protocol = info.protocol;
  auto session = actors::runtime::spawn_pinned<actors::session_actor,
                                               actors::session_state>(
      system_, &home, actors::session_behavior, std::move(deps));
  return std::make_unique<port>(*ports_[home.index()], info.id.value(),
                                std::move(session), std::move(line));
}

std::unordered_map<std::uint64_t, actor_gateway::identity>
actor_gateway::identities(std::size_t loop) const {
  std::unordered_map<std::uint64_t, identity> all;
  for (const auto& [number, each] : *ports_[loop])
    if (!each->line().uid.empty())
      all.emplace(number,
                  identity{each->line().uid, each->line().device.value()});
  return all;
}

actors::session_actor actor_gateway::find(std::size_t loop,
                                          std::uint64_t connection) const {
  const auto at = ports_[loop]->find(connection);
  return at == ports_[loop]->end() ? actors::session_actor{}
                                   : at->second->session();
}

} // namespace troupe::app
