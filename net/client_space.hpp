// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/client_command.hpp"
#include "core/client_event.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace troupe::actors::runtime {
class loop;
} // namespace troupe::actors::runtime

namespace troupe::net {

/// A connection's way to the session of its client. Used on the connection's
/// loop.
class client_port {
public:
  virtual ~client_port() = default;

  /// Hands over commands in order. The answers come on the link later, never
  /// inside of this call.
  virtual void send(std::vector<core::client_command> commands) = 0;

  /// The connection is gone: the session is told and the link is not called
  /// any more. Called exactly once, last.
  virtual void close(bool drop_will) = 0;
};

/// Makes sessions of clients that publish and subscribe; implemented by app/
/// over actor handles, by recorders in tests. Thread-safe: called on every
/// loop.
class client_space {
public:
  virtual ~client_space() = default;

  /// `link` lives until client_port::close() was called; `connection` is its
  /// number on this node.
  virtual std::unique_ptr<client_port> open(actors::runtime::loop& home,
                                            core::client_link& link,
                                            std::uint64_t connection) = 0;
};

} // namespace troupe::net
