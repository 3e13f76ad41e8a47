// SPDX-License-Identifier: Apache-2.0
#include "actors/links/node_links.hpp"

#include "actors/links/join_serving.hpp"
#include "actors/links/link_network.hpp"
#include "actors/links/mesh.hpp"
#include "core/assert.hpp"

#include <future>
#include <utility>

namespace troupe::actors::links {

core::result<std::unique_ptr<node_links>>
node_links::open(caf::actor_system& system, link_options options) {
  TROUPE_ASSERT(links_enabled(system),
                "links need a system whose config saw enable_links()");
  if (auto good = check(options); !good)
    return good.error();
  auto& loops = runtime::scheduler::of(system);
  auto& home = loops.at(options.home_loop % loops.size());
  const auto where = parse_host_port(options.listen);
  auto listener = link_listener::open(home.context(), *where);
  if (!listener)
    return listener.error();
  return std::unique_ptr<node_links>{new node_links{std::make_shared<mesh>(
      system, std::move(options), std::move(*listener))}};
}

node_links::node_links(std::shared_ptr<mesh> implementation)
    : mesh_(std::move(implementation)) {}

node_links::~node_links() { stop(); }

void node_links::on_message(kind k, message_handler handler) {
  mesh_->handlers[static_cast<std::size_t>(k)] = std::move(handler);
}

void node_links::on_peer(peer_handler handler) {
  mesh_->peer_handlers.push_back(std::move(handler));
}

void node_links::on_join(join_handler handler) {
  mesh_->on_join = std::move(handler);
}

void node_links::start() {
  mesh_->home().post([mesh = mesh_] { mesh->start(); });
}

void node_links::stop(std::chrono::milliseconds patience) {
  if (!mesh_)
    return;
  TROUPE_ASSERT(runtime::loop::current() == nullptr,
                "links are stopped off the loops");
  auto stopped = std::make_shared<std::promise<void>>();
  auto done = stopped->get_future();
  mesh_->home().post([mesh = mesh_, stopped] {
    mesh->stop([stopped] { stopped->set_value(); });
  });
  done.wait_for(patience);
}

void node_links::set_peer(core::node_id node,
                          std::vector<std::string> addresses) {
  mesh_->home().post(
      [mesh = mesh_, node, addresses = std::move(addresses)]() mutable {
        mesh->set_peer(node, std::move(addresses));
      });
}

void node_links::forget_peer(core::node_id node) {
  mesh_->home().post([mesh = mesh_, node] { mesh->forget_peer(node); });
}

core::result<void> node_links::send(core::node_id to, kind k, std::uint64_t key,
                                    core::shared_bytes body) {
  return mesh_->send(to, k, key, std::move(body));
}

bool node_links::reaches(core::node_id node) const {
  return mesh_->reaches(node);
}

std::vector<peer_info> node_links::peers() const { return mesh_->info(); }

link_stats node_links::stats() const { return mesh_->stats(); }

std::string node_links::listen_address() const {
  return mesh_->listener().local();
}

std::uint16_t node_links::port() const { return mesh_->listener().port(); }

const std::string& node_links::advertised_address() const {
  return mesh_->advertised();
}

links::incarnation node_links::incarnation() const {
  return mesh_->options().incarnation;
}

} // namespace troupe::actors::links
