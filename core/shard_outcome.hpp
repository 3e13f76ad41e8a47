// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::core {

/// What became of one item of begin_receive.
struct receipt {
  errc code = errc::ok;
  /// The number of the message under this packet id; 0 if there is a failure.
  std::uint64_t number = 0;
  /// It had one before: the message is a repeated one.
  bool repeated = false;

  friend bool operator==(const receipt&, const receipt&) = default;
};

/// What became of one applied command.
struct shard_outcome {
  error failure{}; ///< errc::duplicate: applied before, nothing changed
  /// append_message: one for each recipient that did not get it. Commands for
  /// several sessions but begin_receive: one for each that it failed for.
  std::vector<error> failures{};
  /// append_message: the id shared by all that is not for a single device; if
  /// everything is, the first recipient's.
  std::optional<message_id> id{};
  /// Messages removed by overflow_policy::drop_oldest.
  std::uint64_t dropped = 0;
  /// sweep_expired: more is due.
  bool more = false;

  /// set_key: the revision of the key now, also if it is not the expected one
  /// (0: there is no key). clear_key: where among the revisions it was cleared.
  /// open_session: the epoch of this connection.
  std::uint64_t number = 0;
  /// open_session: see session_record::generation.
  std::uint64_t generation = 0;
  /// set_key, clear_key: the key was there. open_session: the session was.
  bool present = false;
  /// open_session: an older session of the name ended by this, and its routes
  /// are to be removed.
  bool replaced = false;
  /// open_session: packet ids of messages that were sent by an earlier
  /// connection and wait for PUBCOMP, see session_packets.
  std::vector<std::uint16_t> awaiting{};
  /// open_session: until when the session had a connection; of one that was
  /// not there, now.
  std::optional<timestamp> closed{};
  /// begin_receive: one for each item, in their order.
  std::vector<receipt> receipts{};

  friend bool operator==(const shard_outcome&, const shard_outcome&) = default;
};

/// Where in the log a command stands, for those who carry it out.
struct shard_context {
  log_index index;
  timestamp now{};
  /// The command's bytes as they stand in the log.
  const shared_bytes& raw;
};

} // namespace troupe::core
