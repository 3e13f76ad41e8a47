// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/key_command.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Commands of a data shard about sessions that outlive their connections.
/// What becomes of them is in session_machine.hpp.
namespace troupe::core {

/// What is published when a session ends, or some time after its connection.
struct session_will {
  std::string topic; ///< a core::topic's text
  publication_content content;
  bool retain = false;
  /// From the end of the connection on; the end of the session comes first.
  milliseconds delay{0};
  std::optional<milliseconds> time_to_live;

  friend bool operator==(const session_will&, const session_will&) = default;
};

/// Names a session as one of its connections knows it. What an older
/// connection still had under way fails with not_logged_in.
struct session_ref {
  std::string realm = "default";
  std::string name;
  /// The one that open_session answered; 0: whoever it is.
  std::uint64_t epoch = 0;

  friend bool operator==(const session_ref&, const session_ref&) = default;
};

/// A connection begins: its session is there after this.
struct open_session {
  std::string realm = "default";
  std::string name;
  std::string uid;
  /// What the door keeps; opaque here.
  std::string protocol;
  /// Nothing of an older session is kept.
  bool clean_start = false;
  /// From the end of a connection to the end of the session; nothing: never.
  std::optional<milliseconds> expiry;
  /// Packet ids that may be received and not released at once.
  std::uint16_t receive_max = 65'535;
  std::optional<session_will> will;

  friend bool operator==(const open_session&, const open_session&) = default;
};

struct set_session_expiry {
  session_ref session;
  std::optional<milliseconds> expiry;

  friend bool operator==(const set_session_expiry&,
                         const set_session_expiry&) = default;
};

/// The connection is gone: the clock of the expiry begins.
struct close_session_record {
  session_ref session;
  /// If it was noticed late; never later than the command.
  std::optional<timestamp> when;
  /// It said good-bye.
  bool drop_will = false;

  friend bool operator==(const close_session_record&,
                         const close_session_record&) = default;
};

/// A message of QoS 2 came under a packet id.
struct receive_item {
  session_ref session;
  std::uint16_t packet = 0;

  friend bool operator==(const receive_item&, const receive_item&) = default;
};
struct begin_receive {
  std::vector<receive_item> items;

  friend bool operator==(const begin_receive&, const begin_receive&) = default;
};

struct session_packet_ids {
  session_ref session;
  std::vector<std::uint16_t> packets;

  friend bool operator==(const session_packet_ids&,
                         const session_packet_ids&) = default;
};
/// The sender has released packet ids (PUBREL).
struct end_receive {
  std::vector<session_packet_ids> items;

  friend bool operator==(const end_receive&, const end_receive&) = default;
};

/// The client has all up to a position. Those packet ids of it that were
/// answered with PUBREC wait for PUBCOMP from now on.
struct delivered_item {
  session_ref session;
  inbox_position up_to;
  std::vector<std::uint16_t> awaiting; ///< in the order of their PUBRECs

  friend bool operator==(const delivered_item&,
                         const delivered_item&) = default;
};
struct delivered {
  std::vector<delivered_item> items;

  friend bool operator==(const delivered&, const delivered&) = default;
};

/// PUBCOMP came for these.
struct completed {
  std::vector<session_packet_ids> items;

  friend bool operator==(const completed&, const completed&) = default;
};

/// The will is published, or shall never be.
struct drop_will {
  session_ref session;

  friend bool operator==(const drop_will&, const drop_will&) = default;
};

/// The session ends, with its inbox.
struct drop_session {
  session_ref session;
  /// Only if its time is over: what follows when the routes of an expired
  /// session are gone.
  bool only_expired = false;

  friend bool operator==(const drop_session&, const drop_session&) = default;
};

/// Bounds of the sessions of a shard; 0 means "no limit".
struct session_policy {
  std::uint64_t sessions_max = 1'000'000;
  /// Of one session's inbox, instead of those of inbox_policy.
  std::uint64_t messages_max = 100'000;
  std::uint64_t bytes_max = 256ULL << 20U;
  /// Above its bounds the oldest message is lost, else the new one.
  bool drop_oldest = true;

  friend bool operator==(const session_policy&,
                         const session_policy&) = default;
};

struct set_session_policy {
  session_policy policy;

  friend bool operator==(const set_session_policy&,
                         const set_session_policy&) = default;
};

} // namespace troupe::core
