// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/messages.hpp"
#include "actors/session_actor.hpp"
#include "tests/support/recording_link.hpp"

#include <caf/send.hpp>

#include <memory>
#include <utility>

namespace troupe::test_support {

/// One connected client: a session actor and what it has said.
struct test_client {
  recording_link link;
  std::shared_ptr<actors::session_line> line;
  actors::session_actor actor;
  core::request_number requests = 0;
  /// Where it is connected, in a cluster.
  std::uint32_t node = 0;

  /// Nothing runs yet. Returns the request's number.
  template <class Command>
  core::request_number send(Command command) {
    if constexpr (requires { command.request; })
      command.request = ++requests;
    caf::anon_send(actor, actors::session_commands{{std::move(command)}});
    return requests;
  }
  /// Acknowledges all that was delivered.
  void acknowledge() {
    send(core::acknowledge{link.last<core::delivery>().position});
  }
};

} // namespace troupe::test_support
