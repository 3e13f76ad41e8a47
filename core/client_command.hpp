// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/route_command.hpp"
#include "core/stored_session_command.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What a connection asks for its client's session, which may outlive it, in
/// no protocol's words. A gate makes these out of packets; the client's actor
/// carries them out in order and answers by the events of client_event.hpp.
namespace troupe::core {

/// The first one. Whoever has the client id is ended, wherever it is connected.
/// Answer: client_opened.
struct open_client {
  std::string realm = "default";
  std::string name; ///< the client id
  std::string uid;
  /// It outlives the connection, and has a record. Without, nothing is written
  /// down unless an older session of that name is to be ended.
  bool lasting = false;
  bool clean_start = true;
  /// See open_session.
  std::optional<milliseconds> expiry = milliseconds{0};
  std::string protocol;
  std::uint16_t receive_max = 65'535;
  /// Messages that may be under way to the client.
  std::uint32_t window = 1;
  std::optional<session_will> will;
};

// The following need a session that lasts.

/// The client has all messages up to a position. No answer, but for those
/// packet ids that wait for PUBCOMP from now on: client_released.
struct settle_client {
  inbox_position up_to;
  std::vector<std::uint16_t> awaiting{};
};

/// PUBCOMP has come. No answer.
struct complete_client {
  std::uint16_t packet = 0;
};

/// A message of QoS 2 has come. Answer: client_received.
struct receive_client {
  std::uint16_t packet = 0;
  std::uint64_t ticket = 0;
};

/// PUBREL has come. Answer: client_completed.
struct release_client {
  std::uint16_t packet = 0;
};

/// Answer: client_routed.
struct route_client {
  std::uint64_t ticket = 0;
  std::vector<route_name> remove{};
  std::vector<route> add{};
};

/// How long it outlives its connection from now on. No answer.
struct keep_client {
  std::optional<milliseconds> expiry;
};

/// The connection is gone; the last one. No answer.
struct close_client {
  bool drop_will = false; ///< it said good-bye
};

using client_command =
    std::variant<open_client, settle_client, complete_client, receive_client,
                 release_client, route_client, keep_client, close_client>;

} // namespace troupe::core
