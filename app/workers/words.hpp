// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/door_kind.hpp"
#include "app/workers/seat_words.hpp"
#include "core/message.hpp"
#include "core/session_command.hpp"
#include "core/session_event.hpp"
#include "net/net_stats.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What an agent and its workers say to each other over the line between them
/// (docs/formats/worker-frames.md, docs/decisions/0014-workers.md).
namespace troupe::app::workers {

/// Both ends are one binary, so a difference is an accident and ends the
/// worker.
inline constexpr std::uint16_t protocol_version = 3;

namespace words {

// ------------------------------------------------------------------ both ways

/// "My loop turns."
struct beat {
  friend bool operator==(const beat&, const beat&) = default;
};

// ------------------------------------------------------------------ to worker

/// The first word. The listening sockets are descriptors in the order of
/// `doors`, beginning behind the line's own.
struct configure {
  std::uint16_t version = protocol_version;
  std::uint32_t worker = 0;
  /// Rows of the table of settings that are no secret.
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<door_kind> doors;
  friend bool operator==(const configure&, const configure&) = default;
};
/// For a client's gate.
struct event {
  client_number client = 0;
  core::session_event what;
};
/// A limit of the node does not allow this connection.
struct refused {
  client_number client = 0;
  net::refusal reason{};
  friend bool operator==(const refused&, const refused&) = default;
};
/// Read certificate and key again, open the log file again.
struct reload {
  friend bool operator==(const reload&, const reload&) = default;
};
/// Accept no more, say goodbye to clients; exit when the last is gone.
struct drain {
  friend bool operator==(const drain&, const drain&) = default;
};
/// Cut what is left and exit.
struct stop {
  friend bool operator==(const stop&, const stop&) = default;
};

// ------------------------------------------------------------------- to agent

/// It accepts clients.
struct ready {
  std::uint16_t version = protocol_version;
  friend bool operator==(const ready&, const ready&) = default;
};
/// What the writers of channels have counted: what is not counted where the
/// topics are.
struct writer_counts {
  // Of net::msgbus::bus_stats.
  std::uint64_t delivered = 0;
  std::uint64_t delivered_bytes = 0;
  std::uint64_t filtered = 0;
  std::uint64_t dropped_backlog = 0;
  std::uint64_t replayed = 0;
  // Of net::zenconn::zenconn_stats.
  std::uint64_t events = 0;
  std::uint64_t events_bytes = 0;
  std::uint64_t echoed = 0;
  std::uint64_t ignored = 0;
  std::uint64_t dropped_slow = 0;
  std::uint64_t refused_login = 0;
  friend bool operator==(const writer_counts&, const writer_counts&) = default;
};
/// What a worker has counted since its start; with each beat.
struct counts {
  net::net_stats totals;
  writer_counts channels{};
};
/// A connection whose peer's address is known.
struct opened {
  client_number client = 0;
  std::string peer;
  std::string local;
  friend bool operator==(const opened&, const opened&) = default;
};
/// It speaks a protocol, or another one than before.
struct speaks {
  client_number client = 0;
  std::string protocol;
  bool tls = false;
  std::string certificate;
  friend bool operator==(const speaks&, const speaks&) = default;
};
/// For a client's session.
struct commands {
  client_number client = 0;
  std::vector<core::session_command> items;
};
/// The connection is closed; the last word about it.
struct closed {
  client_number client = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  friend bool operator==(const closed&, const closed&) = default;
};

} // namespace words

using word =
    std::variant<words::beat, words::configure, words::event, words::refused,
                 words::reload, words::drain, words::stop, words::ready,
                 words::counts, words::opened, words::speaks, words::commands,
                 words::closed, words::bus_wish, words::knock, words::request,
                 words::seat_left, words::bus_ruling, words::welcome,
                 words::answer, words::published, words::channel_event,
                 words::seat_over>;

} // namespace troupe::app::workers
