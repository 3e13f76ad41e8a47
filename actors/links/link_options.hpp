// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/link_types.hpp"
#include "core/result.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace troupe::actors::links {

/// Decides about a peer that has proven to know the secret, for example by
/// the directory's list of nodes; the error's detail goes to both logs. On
/// the home loop; must not block.
using admission = std::function<core::result<void>(const peer_identity&)>;
/// Level ("info", "warn", "error"), component, text. Thread-safe.
using log_function =
    std::function<void(std::string_view, std::string_view, std::string_view)>;

struct link_options {
  cluster_name cluster{};
  core::node_id self;
  /// 0: drawn at random, as it should be outside of tests.
  links::incarnation incarnation;
  std::string secret;
  /// HOST:PORT to listen on; the host is an address, port 0 takes a free one.
  std::string listen;
  /// HOST:PORT under which others reach this node; "": what listen says, or
  /// the machine's name if that is every address.
  std::string advertise;

  std::chrono::milliseconds beat_interval{400};
  /// A peer not heard of for so long is cut. With one beat_interval until it
  /// is noticed this stays below 3 s.
  std::chrono::milliseconds silence_max{2400};
  /// For TLS, proof and the actor system's handshake together, a side each.
  std::chrono::milliseconds handshake_timeout{5000};
  /// For one address of a peer.
  std::chrono::milliseconds connect_timeout{2000};
  std::chrono::milliseconds retry_min{100};
  std::chrono::milliseconds retry_max{5000};
  /// The node with the lower id leaves dialing to the other for so long.
  std::chrono::milliseconds second_dialer_after{1500};
  /// How long a process may answer for a node id that another one claims.
  std::chrono::milliseconds duplicate_probe{1000};
  /// A peer that gives no credit for so long while something waits is cut.
  std::chrono::milliseconds stall_max{10'000};
  std::chrono::milliseconds join_timeout{10'000};

  /// Bytes that may wait for one peer, a lane each: more is refused.
  std::array<std::size_t, lanes> queue_bytes_max{std::size_t{16} << 20U,
                                                 std::size_t{64} << 20U};
  /// Bytes a peer may have under way to this node, a lane each: bounds what
  /// one peer can make this node hold.
  std::array<std::uint32_t, lanes> window{1U << 20U, 2U << 20U};
  std::size_t message_bytes_max = std::size_t{64} << 20U;
  std::size_t join_bytes_max = std::size_t{1} << 20U;
  /// Connections that have not proven anything yet; the oldest goes first.
  std::size_t conversations_max = 64;

  /// The loop on which sockets are opened and envelopes are taken.
  std::size_t home_loop = 0;
  admission admit{};
  log_function log{};
};

/// invalid_config if something is missing or out of its range.
core::result<void> check(const link_options& options);

/// HOST:PORT, [IPV6]:PORT.
struct host_port {
  std::string host;
  std::uint16_t port = 0;
};
core::result<host_port> parse_host_port(std::string_view text);

} // namespace troupe::actors::links
