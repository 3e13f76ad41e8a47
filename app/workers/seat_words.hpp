// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/principal.hpp"
#include "core/publication.hpp"
#include "net/msgbus/desk.hpp"
#include "net/zenconn/desk.hpp"
#include "net/zenconn/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::app::workers {

/// A connection of a worker: ascending, never twice in the worker's life.
using client_number = std::uint64_t;

/// Something that a client of a worker asks the agent's channels for, and what
/// comes of it: a subscriber of the bus, a guest of ZenConn. Ascending, never
/// twice in the worker's life.
using seat_number = std::uint64_t;

namespace words {

// ------------------------------------------------------------------- to agent

/// A request at /msgbus/. Answered by bus_ruling.
struct bus_wish {
  client_number client = 0;
  seat_number seat = 0;
  net::msgbus::wish what;
};
/// A request for an upgrade at ZenConn's door. Answered by welcome.
struct knock {
  client_number client = 0;
  seat_number seat = 0;
  net::zenconn::knock who;
};
/// Of a guest. Answered by one answer.
struct request {
  seat_number seat = 0;
  net::zenconn::request what;
};
/// Nobody waits there any more.
struct seat_left {
  seat_number seat = 0;
  std::string why;
  friend bool operator==(const seat_left&, const seat_left&) = default;
};

// ------------------------------------------------------------------ to worker

struct bus_ruling {
  seat_number seat = 0;
  net::msgbus::ruling::kind what = net::msgbus::ruling::kind::granted;
  std::string sender;
  bool seated = false; ///< what is published follows
  std::vector<core::publication_ptr> past{};
};
struct welcome {
  seat_number seat = 0;
  net::zenconn::welcome::kind what = net::zenconn::welcome::kind::let_in;
  core::deny_reason why = core::deny_reason::none;
  std::string uid;
};
/// For a guest.
struct answer {
  seat_number seat = 0;
  net::zenconn::answer what;
};
/// For subscribers of the bus, all at once. May be lost on the way.
struct published {
  std::vector<seat_number> seats;
  core::publication_ptr what;
};
/// The same for guests in a channel.
struct channel_event {
  std::vector<seat_number> seats;
  std::string channel;
  core::publication_ptr what;
};
/// The last word about a seat that was given: of a guest with the code of his
/// WebSocket's end, otherwise 0.
struct seat_over {
  seat_number seat = 0;
  std::uint16_t code = 0;
  std::string why;
  friend bool operator==(const seat_over&, const seat_over&) = default;
};

} // namespace words
} // namespace troupe::app::workers
