// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// The words of the links between nodes.
namespace troupe::actors::links {

/// A start of a node, drawn at random: the same node with another incarnation
/// was restarted.
using incarnation = core::strong_id<struct incarnation_tag, std::uint64_t>;
/// One connection between two nodes, drawn from the secret and from what both
/// sides said; never repeats. 0 is none.
using link_id = core::strong_id<struct link_id_tag, std::uint64_t>;
/// Names a cluster for good; all zero: not known yet (a newcomer).
using cluster_name = std::array<std::byte, 16>;

/// Two ways to a peer, each with a queue and a credit of its own; what waits
/// in the first goes before what waits in the second.
enum class lane : std::uint8_t { control = 0, bulk = 1 };
inline constexpr std::size_t lanes = 2;

/// What a message is about: whoever owns the kind knows how to read it.
/// Numbers are stable, they cross the wire. Below 0x80: control lane; from
/// 0x80 on: bulk lane. New kinds take a free number.
enum class kind : std::uint8_t {
  raft = 0x01,        ///< votes, beats, acknowledgements; key: the group and
                      ///< what it is (linked_groups.cpp)
  membership = 0x02,  ///< talk with the leader of the directory
  interest = 0x03,    ///< topic filters wanted by a node
  session = 0x04,     ///< from a session to its inbox; key: the group
  name_claim = 0x05,  ///< of client ids, to the leader of their shard; key: the
                      ///< group
  name_answer = 0x06, ///< to one; key: the loop of the desk

  raft_entries = 0x81, ///< log entries; key: as raft
  snapshot = 0x82,     ///< parts of a snapshot; key: as raft
  call = 0x83,         ///< a question to an actor elsewhere
  answer = 0x84,       ///< its answer
  publish = 0x85,      ///< messages of the ephemeral plane
  proposals = 0x86,    ///< passed on to a group's leader, and their outcomes
  deliveries = 0x87,   ///< from an inbox to its session; key: its loop
  key_question = 0x88, ///< for retained keys of a shard led elsewhere
  key_answer = 0x89,   ///< to one; key: the loop that asked
};

[[nodiscard]] constexpr lane lane_of(kind k) noexcept {
  return (static_cast<std::uint8_t>(k) & 0x80U) == 0 ? lane::control
                                                     : lane::bulk;
}

/// A message as it arrived.
struct received {
  core::node_id from;
  incarnation peer;
  links::kind kind{};
  std::uint64_t key = 0;
  core::shared_bytes body;
  /// The sender may send more when the last copy of this is gone. Who puts the
  /// body into a queue of its own keeps it there as well, so that a slow
  /// consumer here slows the sender instead of filling memory. May be null.
  std::shared_ptr<const void> credit;
};

/// Called on loop `key % loops`, for one peer and kind and key in the order
/// in which one thread of the sender sent. Must not block nor throw.
using message_handler = std::function<void(const received&)>;

struct peer_event {
  core::node_id peer;
  links::incarnation incarnation;
  bool up = false;
  /// The first link to this incarnation: what the peer knew is gone. False if
  /// the same process comes back, for example after a cut cable.
  bool restarted = false;
  std::string address; ///< advertised by the peer
  std::uint32_t features = 0;
  std::string reason; ///< of a down
};
/// Called on the home loop of the links. What was sent before a down may be
/// lost; what is sent after an up goes over the new link.
using peer_handler = std::function<void(const peer_event&)>;

/// Who is at the other end, once it has proven to know the secret.
struct peer_identity {
  core::node_id node; ///< 0: a newcomer
  links::incarnation incarnation;
  std::uint32_t features = 0;
  std::string address;
};

/// Why a message did not reach its peer.
enum class drop_reason : std::uint8_t {
  not_connected, ///< there was no link
  overloaded,    ///< the queue to the peer was full; the sender was told
  link_lost,     ///< queued or under way when the link ended
  old_link,      ///< arrived under the number of a link that is no more
  no_handler,    ///< arrived, but nobody registered for its kind
};
inline constexpr std::size_t drop_reasons = 5;
std::string_view to_string(drop_reason reason) noexcept;

enum class peer_state : std::uint8_t {
  idle,       ///< no address, or waiting for the other side to connect
  waiting,    ///< for the next attempt
  connecting, ///< name, socket, TLS
  proving,    ///< secret and identity
  handshake,  ///< handed over to the actor system, first message awaited
  up,
  closing,
};
std::string_view to_string(peer_state state) noexcept;

struct lane_info {
  std::uint64_t queued_bytes = 0; ///< not handed over yet
  std::uint64_t credit_bytes = 0; ///< what may be sent just now
  std::uint64_t in_flight_bytes = 0;
};

/// One peer as the admin pages show it: a moment's view.
struct peer_info {
  core::node_id node;
  peer_state state{};
  std::string address; ///< advertised, else the first configured
  links::incarnation incarnation;
  link_id link;
  bool dialed = false; ///< this node opened the connection
  bool encrypted = false;
  std::uint32_t features = 0; ///< the peer's feature level
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::array<lane_info, lanes> lane;
  std::chrono::microseconds round_trip{0}; ///< smoothed; 0: not measured yet
  /// Since the last sign of life; empty if the link is down.
  std::optional<std::chrono::milliseconds> silence;
  std::uint64_t times_up = 0;
  std::array<std::uint64_t, drop_reasons> dropped{};
  std::string last_error;
};

} // namespace troupe::actors::links
