// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/session_command.hpp"
#include "core/session_event.hpp"
#include "core/shared_bytes.hpp"
#include "net/net_stats.hpp"
#include "net/output_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

class protocol;

/// What a protocol wants done; the connection only carries it out, in the
/// order: commands, output, successor, close.
struct effects {
  /// Bytes for the peer, appended to what is already waiting.
  output_queue& output;
  /// For the session actor, in order.
  std::vector<core::session_command> commands{};
  /// Close after the output has been written. The text is for the log.
  std::optional<std::string> close{};
  /// Close without waiting for the output (the peer is gone or hostile).
  bool abort = false;
  /// Counted as such; for what has a limit that is the same everywhere.
  std::optional<refusal> refused{};
  /// Speaks on this connection from here on (an HTTP upgrade): gets on_open
  /// and the bytes that were not used. The protocol that asked is destroyed.
  std::unique_ptr<protocol> successor{};
  /// Called once when the connection has ended, with the bytes that were sent
  /// from here on. Of several the last counts.
  std::function<void(std::uint64_t sent)> at_end{};
};

/// Bytes that arrived. If `owner` is set, `bytes` lies inside of it and a
/// protocol may keep a slice instead of a copy.
struct input {
  core::bytes_view bytes;
  const core::shared_bytes* owner = nullptr;

  /// A lasting version of a part of `bytes`.
  [[nodiscard]] core::shared_bytes keep(core::bytes_view part) const {
    if (owner == nullptr)
      return core::shared_bytes::copy_of(part);
    return owner->slice(static_cast<std::size_t>(part.data() - owner->data()),
                        part.size());
  }
};

/// One protocol on one connection: a codec and a gate without any I/O. Pure:
/// time comes in as an argument, work goes out as effects. Owned by its
/// connection and used on that connection's loop only.
class protocol {
public:
  virtual ~protocol() = default;

  /// The connection is open. Sets first timers.
  virtual void on_open(core::steady_time now, effects& out) = 0;

  /// Takes as many whole frames as there are; returns the bytes used. The
  /// rest comes again with more behind it, or as it is once paused() has
  /// turned false. After a close effect nothing more is offered.
  virtual std::size_t on_bytes(const input& in, core::steady_time now,
                               effects& out) = 0;

  /// How many bytes the unfinished frame at the front needs in all, or 0 if
  /// unknown: lets the connection read a large frame into its own buffer.
  [[nodiscard]] virtual std::size_t frame_bytes() const = 0;

  /// Takes no bytes until an answer has come (back-pressure, or a request
  /// that those behind it depend on). Asked after each call: while true the
  /// connection does not read; when it turns false the connection offers the
  /// bytes it still holds before it reads again.
  [[nodiscard]] virtual bool paused() const { return false; }

  /// An answer or a delivery from the session.
  virtual void on_event(core::session_event event, core::steady_time now,
                        effects& out) = 0;

  /// All output has been handed to the operating system.
  virtual void on_flushed(core::steady_time now, effects& out) = 0;

  /// A deadline has passed.
  virtual void on_tick(core::steady_time now, effects& out) = 0;

  /// When on_tick is wanted next; asked after each of the calls above.
  [[nodiscard]] virtual std::optional<core::steady_time> deadline() const = 0;

  /// The peer has closed its side (FIN) or the socket failed.
  virtual void on_closed(effects& out) = 0;

  /// The peer has ended its side and may still read. True: the protocol goes
  /// on and ends the connection itself; false: on_closed() comes at once.
  virtual bool on_half_closed(core::steady_time, effects&) { return false; }

  /// How long the peer may take nothing of the output that waits; unset: as
  /// the door says. Asked at each write.
  [[nodiscard]] virtual std::optional<core::milliseconds> write_stall() const {
    return std::nullopt;
  }

  /// Its client stays and can come again elsewhere, though it has no session in
  /// the broker: a node that drains tells it to (session_ended).
  [[nodiscard]] virtual bool can_move() const { return false; }

  /// Short protocol name for /sessions, logs and metrics ("mq", "mq-ws").
  [[nodiscard]] virtual std::string_view name() const = 0;
};

} // namespace troupe::net
