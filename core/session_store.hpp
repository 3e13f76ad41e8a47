// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::core {

/// A session that outlives its connections; its inbox has the same owner. All
/// but the packet ids, which change often.
struct session_record {
  std::string uid;
  /// Log index of the command that made it: tells it from an earlier session
  /// of the same name, also in the directory (see route_command.hpp).
  std::uint64_t generation = 0;
  /// Log index of the command that opened it last: tells its connections apart.
  std::uint64_t epoch = 0;
  timestamp created{};
  std::string protocol; ///< what the door keeps
  std::optional<milliseconds> expiry;
  std::uint16_t receive_max = 65'535;
  /// Since when it has no connection; nothing while it has one.
  std::optional<timestamp> closed;
  std::optional<session_will> will;
  /// The will's time has come; somebody publishes it and says drop_will.
  bool will_due = false;
  /// Its time is over, its inbox is gone; somebody removes its routes and says
  /// drop_session.
  bool expired = false;

  /// Waits for somebody to do the second half.
  [[nodiscard]] bool is_pending() const noexcept {
    return expired || (will && will_due);
  }

  friend bool operator==(const session_record&,
                         const session_record&) = default;
};

/// The packet ids of QoS 2 that are in use.
struct session_packets {
  struct received_packet {
    std::uint16_t packet = 0;
    std::uint64_t number = 0; ///< of the message
    friend bool operator==(const received_packet&,
                           const received_packet&) = default;
  };
  /// Received and not released, by packet id, ascending.
  std::vector<received_packet> received;
  /// Sent, and PUBCOMP has not come yet; in the order in which PUBREC came.
  std::vector<std::uint16_t> awaiting;

  [[nodiscard]] bool empty() const noexcept {
    return received.empty() && awaiting.empty();
  }
  friend bool operator==(const session_packets&,
                         const session_packets&) = default;
};

/// Typed tables of the session records of one data shard, as the session
/// machine needs them. Owned by the shard's actor. Implemented over a
/// state_space in schema/, in plain memory in tests.
class session_store {
public:
  virtual ~session_store() = default;

  using session_visitor =
      std::function<bool(const owner&, const session_record&)>;

  virtual std::optional<session_record> session(const owner& name) const = 0;
  virtual void put_session(const owner& name, const session_record& record) = 0;
  virtual void erase_session(const owner& name) = 0;
  /// In key order behind `after`; the visitor returns false to stop.
  virtual void each_session(const std::optional<owner>& after,
                            const session_visitor& visit) const = 0;

  /// Empty if there is nothing.
  virtual session_packets packets(const owner& name) const = 0;
  /// Empty ones are erased.
  virtual void put_packets(const owner& name,
                           const session_packets& packets) = 0;

  /// Index of what is due when: (time, owner).
  struct due_session {
    timestamp when;
    core::owner owner;

    friend bool operator==(const due_session&, const due_session&) = default;
  };
  virtual void put_due(const due_session& due) = 0;
  virtual void erase_due(const due_session& due) = 0;
  /// Up to `limit` that are due at `now`, oldest first.
  virtual std::vector<due_session> due_sessions(timestamp now,
                                                std::size_t limit) const = 0;

  /// Sessions that are pending (see session_record), for whoever leads the
  /// shard next.
  virtual void put_pending(const owner& name) = 0;
  virtual void erase_pending(const owner& name) = 0;
  /// Up to `limit` of them behind `after`, in key order.
  virtual std::vector<owner> pending_sessions(const std::optional<owner>& after,
                                              std::size_t limit) const = 0;

  virtual std::uint64_t session_count() const = 0;
  virtual void put_session_count(std::uint64_t count) = 0;
  virtual core::session_policy policy_of_sessions() const = 0;
  virtual void put_policy_of_sessions(const core::session_policy& policy) = 0;
};

} // namespace troupe::core
