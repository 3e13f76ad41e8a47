// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/address_limits.hpp"
#include "net/ip_endpoint.hpp"
#include "net/protocol_host.hpp"
#include "net/session_port.hpp"
#include "net/sniff.hpp"
#include "net/tls_context.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace troupe::net {

/// Bounds of one connection. Times are steady-clock spans.
struct connection_limits {
  /// From accept until a protocol is chosen (PROXY header, TLS handshake and
  /// first bytes together).
  std::chrono::milliseconds opening{10'000};
  /// Bytes a protocol may leave unused without saying how many it needs.
  std::size_t unused_bytes_max = 128 * 1024;
  /// Largest frame a protocol may announce (64 MiB message and its framing).
  std::size_t frame_bytes_max = (64 << 20) + (256 << 10);
  /// Bytes read for one connection before the others have their turn.
  std::size_t read_turn_bytes = 256 * 1024;
  /// Unwritten output at which reading stops; it resumes below half of it.
  std::size_t output_pause_bytes = 1 << 20;
  /// Unwritten output at which the connection is cut: room for one message
  /// of the largest size on top of another.
  std::size_t output_bytes_max = 160 << 20;
  /// The peer takes nothing of waiting output for so long: cut.
  std::chrono::milliseconds write_stall{60'000};
  /// The time to write out what is left when closing.
  std::chrono::milliseconds closing{10'000};
  /// After our FIN: how long and how much to read on, so that a reset does
  /// not take our last bytes from the peer.
  std::chrono::milliseconds linger{2'000};
  std::size_t linger_bytes = 256 * 1024;
  /// TCP keep-alive: finds half-open connections within about a minute.
  std::chrono::seconds keep_alive_idle{30};
  std::chrono::seconds keep_alive_interval{10};
  int keep_alive_probes = 3;
};

enum class proxy_policy : std::uint8_t {
  off,      ///< a PROXY header is an unknown protocol
  optional, ///< taken from trusted peers, if they send one
  required, ///< connections without one, or not trusted, are refused
};

enum class tls_policy : std::uint8_t {
  off,      ///< plain text only
  sniffed,  ///< TLS if the first byte says so
  required, ///< TLS only
};

class connection;

/// Told of every connection of a door, on the connection's loop. May cut one,
/// though not inside of a call.
class connection_observer {
public:
  virtual ~connection_observer() = default;
  /// Its peer's address is known.
  virtual void on_open(connection& fresh) = 0;
  /// It speaks a protocol, or another one than before.
  virtual void on_protocol(const connection& which) = 0;
  /// It is closed. Once for each on_open().
  virtual void on_end(const connection& gone) = 0;
};

/// What one listener serves and how. Shared by its connections; immutable
/// once listening (tls reloads inside itself).
struct door {
  /// What each kind of first bytes leads to; others are not served. With a
  /// single protocol and no choice about TLS it begins at once, without
  /// waiting for a byte.
  std::map<sniffed, protocol_factory> protocols;

  tls_policy tls = tls_policy::off;
  std::shared_ptr<tls_context> certificate;

  proxy_policy proxy = proxy_policy::off;
  /// Peers whose PROXY headers count; empty: loopback only for `optional`,
  /// anybody for `required`.
  std::vector<ip_network> trusted_proxies;

  /// Sessions for protocols that emit commands. Not owned; outlives the
  /// network. Without one a command ends its connection.
  session_gateway* sessions = nullptr;
  std::shared_ptr<address_limits> addresses;
  /// Not owned; outlives the network. May be null.
  connection_observer* observer = nullptr;
  connection_limits limits;
};

/// Whether PROXY headers of a peer count here.
[[nodiscard]] bool trusts(const door& d, const boost::asio::ip::address& peer);

} // namespace troupe::net
