// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/errc.hpp"
#include "core/ids.hpp"
#include "core/message.hpp"
#include "core/result.hpp"
#include "core/route_command.hpp"
#include "core/route_registry.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

/// What a client's connection is told of its session.
namespace troupe::core {

/// Answer to open_client. On success messages may follow at once.
struct client_opened {
  /// not_permitted: the client id is another user's.
  error failure{};
  bool present = false;
  /// Of a session that was there: what it is subscribed to.
  std::vector<route> routes{};
  /// The routes are as of this index of the directory's log.
  log_index routed_at{};
  /// Packet ids that wait for PUBCOMP.
  std::vector<std::uint16_t> awaiting{};
  /// Until when it had a connection: what was queued since then has never been
  /// sent.
  timestamp closed{};
};

/// A publication from the session's inbox. Positions ascend.
struct client_delivery {
  inbox_position position;
  message_ptr message;
};

/// What the client has got is durable: these may be released (PUBREL).
struct client_released {
  std::vector<std::uint16_t> packets;
};

struct client_received {
  std::uint64_t ticket = 0;
  errc code = errc::ok;
  /// Of the message for good, the same one if it is repeated.
  std::uint64_t number = 0;
  bool repeated = false;
};

/// These are not in use any more (PUBCOMP).
struct client_completed {
  std::vector<std::uint16_t> packets;
};

struct client_routed {
  std::uint64_t ticket = 0;
  error failure{};
  log_index at{};
  /// See route_outcome.
  std::vector<route_result> results{};
};

/// The session ends by the broker's will, or this connection of it.
/// - conflict: another connection has taken it over;
/// - not_permitted: an operator has ended it;
/// - shutting_down: the node stops;
/// - anything else: it can't be gone on with here.
struct client_ended {
  error reason;
};

using client_event =
    std::variant<client_opened, client_delivery, client_released,
                 client_received, client_completed, client_routed,
                 client_ended>;

/// The way back to the connection; see session_link.
class client_link {
public:
  virtual ~client_link() = default;
  /// Called on the loop of the connection only.
  virtual void on_event(client_event event) = 0;
};

} // namespace troupe::core
