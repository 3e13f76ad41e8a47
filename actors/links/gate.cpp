// SPDX-License-Identifier: Apache-2.0
#include "actors/links/gate.hpp"

#include "actors/runtime/loop.hpp"
#include "actors/runtime/pinned.hpp"
#include "core/assert.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include <set>
#include <string>

namespace troupe::actors::links {

namespace {

// BASP files what is published under a port; there is none behind it.
constexpr std::uint16_t port_tag = 1;

struct gate_state {
  static constexpr const char* name = "gate";
  [[nodiscard]] std::string path() const { return "links/gate"; }
};

using gate_pointer = runtime::stateful_pointer<gate_actor, gate_state>;

gate_actor::behavior_type gate_behavior(gate_pointer self,
                                        gate::on_envelope take,
                                        std::function<void()> ready) {
  ready();
  return {[self, take = std::move(take)](const envelope& e) {
    take(self->current_sender(), e);
  }};
}

/// Asks BASP for a connection and ends: answers come to an actor, and the
/// gate's only message is the envelope.
struct caller_state {
  static constexpr const char* name = "link_caller";
};

caf::behavior
caller_behavior(runtime::stateful_pointer<caf::actor, caller_state> self,
                const caf::actor& basp, caf::io::scribe_ptr connection,
                std::chrono::milliseconds timeout,
                const gate::on_connected& done) {
  self->request(basp, timeout, caf::connect_atom_v, std::move(connection),
                port_tag)
      .then(
          [=](const caf::node_id&, const caf::strong_actor_ptr& peer,
              const std::set<std::string>&) {
            if (peer)
              done(caf::actor_cast<gate_actor>(peer));
            else
              done(core::error{core::errc::unavailable, "no gate there"});
            self->quit();
          },
          [=](const caf::error& failed) {
            done(core::error{core::errc::unavailable,
                             self->system().render(failed)});
            self->quit();
          });
  // Stays until the answer comes.
  return {[](caf::unit_t) {}};
}

} // namespace

void gate::open(caf::actor_system& system, runtime::loop& home,
                on_envelope take, std::function<void()> ready) {
  basp_ =
      system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  handle_ = runtime::spawn_pinned<gate_actor, gate_state>(
      system, &home, gate_behavior, std::move(take), std::move(ready));
}

void gate::close() {
  if (handle_)
    caf::anon_send_exit(handle_, caf::exit_reason::user_shutdown);
  handle_ = gate_actor{};
  basp_ = caf::actor{};
}

void gate::connect(caf::io::scribe_ptr connection,
                   std::chrono::milliseconds timeout, on_connected done) {
  auto* here = runtime::loop::current();
  TROUPE_ASSERT(here != nullptr, "links connect on their loop");
  runtime::spawn_pinned<caf::actor, caller_state>(
      here->system(), here, caller_behavior, basp_, std::move(connection),
      timeout, std::move(done));
}

void gate::publish(caf::io::scribe_ptr connection) {
  caf::anon_send(basp_, caf::publish_atom_v, std::move(connection), port_tag,
                 caf::actor_cast<caf::strong_actor_ptr>(handle_),
                 std::set<std::string>{});
}

void gate::introduce(const gate_actor& to, envelope e) {
  caf::send_as(caf::actor_cast<caf::actor>(handle_), to, std::move(e));
}

} // namespace troupe::actors::links
