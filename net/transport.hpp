// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <sys/uio.h>

namespace troupe::net {

enum class io_status : std::uint8_t {
  done,       ///< bytes were moved, or the step is complete
  want_read,  ///< nothing now; try again when the socket is readable
  want_write, ///< nothing now; try again when the socket is writable
  closed,     ///< the peer has ended its sending side
  failed,     ///< the socket or the TLS session is broken
};

struct io_result {
  io_status status = io_status::done;
  std::size_t bytes = 0;
  /// read_some: the socket has been emptied; only a new readiness event can
  /// bring more.
  bool drained = false;
};

/// A non-blocking byte stream over a connected socket it does not own. Never
/// waits, never buffers what it was not asked for: an idle stream costs the
/// object alone. Used on one loop.
class transport {
public:
  virtual ~transport() = default;

  /// Drives the opening exchange; `done` when bytes may flow.
  virtual io_result handshake() = 0;

  /// REQUIRES: !into.empty(). `done` means at least one byte.
  virtual io_result read_some(std::span<std::byte> into) = 0;

  /// Writes from the front of `from`; `done` means all of it was taken, with
  /// want_* `bytes` says how much was. After want_* the next call must begin
  /// with the bytes that were not taken.
  virtual io_result write_some(std::span<const iovec> from) = 0;

  /// Ends the sending side: close_notify where there is one, then FIN.
  virtual io_result shutdown() = 0;

  [[nodiscard]] virtual bool secure() const noexcept = 0;

  /// What the peer's certificate names (subject, RFC 2253), "" without one.
  [[nodiscard]] virtual std::string peer_certificate() const { return {}; }

  /// Text of the last failure for the log.
  [[nodiscard]] virtual std::string last_error() const { return {}; }
};

/// Plain TCP. `fd` must be non-blocking and outlive the transport.
std::unique_ptr<transport> make_tcp_transport(int fd);

} // namespace troupe::net
