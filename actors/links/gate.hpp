// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/envelope.hpp"
#include "core/result.hpp"

#include <caf/actor.hpp>
#include <caf/io/fwd.hpp>
#include <caf/io/scribe.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace troupe::actors::runtime {
class loop;
} // namespace troupe::actors::runtime

namespace troupe::actors::links {

/// What the mesh has to do with its gate, which lives on the mesh's loop. The
/// gate is spawned by open(), lost with close(); nothing is lost with it but
/// envelopes under way.
class gate {
public:
  /// An envelope, and who sent it (null: did not say). On the loop.
  using on_envelope =
      std::function<void(const caf::strong_actor_ptr&, const envelope&)>;
  using on_connected = std::function<void(core::result<gate_actor>)>;

  /// `ready` is called on the loop, later.
  void open(caf::actor_system& system, runtime::loop& home, on_envelope take,
            std::function<void()> ready);
  void close();

  [[nodiscard]] const gate_actor& handle() const { return handle_; }

  /// Gives CAF a connection this node has dialed; `done` gets the peer's gate.
  /// On the loop, after `ready`.
  void connect(caf::io::scribe_ptr connection,
               std::chrono::milliseconds timeout, on_connected done);
  /// Gives CAF a connection this node has accepted: the peer is shown the
  /// gate.
  void publish(caf::io::scribe_ptr connection);

  /// The first envelope of a link shows the peer this gate.
  void introduce(const gate_actor& to, envelope e);

private:
  gate_actor handle_;
  caf::actor basp_;
};

} // namespace troupe::actors::links
