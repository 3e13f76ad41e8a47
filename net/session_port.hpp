// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/session_command.hpp"
#include "core/session_event.hpp"
#include "net/ip_endpoint.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors::runtime {
class loop;
} // namespace troupe::actors::runtime

namespace troupe::net {

/// Unique over the life of the process.
using connection_id = core::strong_id<struct connection_id_tag, std::uint64_t>;

/// What is known of one connection, for sessions, /sessions and the log.
struct connection_info {
  connection_id id;
  /// The client: of the PROXY header where one was accepted.
  ip_endpoint peer;
  /// Where the client connected to.
  ip_endpoint local;
  bool tls = false;
  /// Subject of a verified client certificate, "" without one.
  std::string client_certificate;
  /// protocol::name(), "opening" before one is chosen.
  std::string_view protocol = "opening";
  core::steady_time opened{};
};

/// A connection's way to its session actor. Used on the connection's loop.
class session_port {
public:
  virtual ~session_port() = default;

  /// Hands over commands in order. The session may answer on the link before
  /// this returns, or later on the same loop.
  virtual void send(std::vector<core::session_command> commands) = 0;

  /// The way to the session is full for now: the connection reads no further
  /// until session_link::on_room(). What was read is still taken.
  [[nodiscard]] virtual bool full() { return false; }

  /// The connection is gone: the session is told (as by close_session) and
  /// the link is not called any more, not even by what is on its way. Called
  /// exactly once, last.
  virtual void close() = 0;
};

/// Makes sessions; implemented by app/ over actor handles, by recorders in
/// tests. Thread-safe: called on every loop.
class session_gateway {
public:
  virtual ~session_gateway() = default;

  /// A session for a connection that has its first command. `link` lives
  /// until session_port::close() was called; `info` for the call only.
  virtual std::unique_ptr<session_port> open(actors::runtime::loop& home,
                                             core::session_link& link,
                                             const connection_info& info) = 0;
};

} // namespace troupe::net
