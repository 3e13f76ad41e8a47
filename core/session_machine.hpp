// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/inbox_machine.hpp"
#include "core/session_store.hpp"
#include "core/shard_outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace troupe::core {

/// Of session_record::protocol, and of a will as a whole.
inline constexpr std::size_t session_protocol_bytes_max = 4096;
inline constexpr std::size_t session_will_bytes_max = std::size_t{128} << 10U;
/// Items of one command for several sessions.
inline constexpr std::size_t session_items_max = 10'000;
/// The one device of a session's inbox.
inline constexpr device_offset session_device{0};

/// Told what an applied command changed, while it is applied.
class session_observer {
public:
  virtual ~session_observer() = default;
  /// It is pending now: its will is due, or it has expired, or both.
  virtual void on_session_pending(const owner& name,
                                  const session_record& record) = 0;
  /// Nobody has published the will that is in the record: a clean start ends
  /// a session whose will still waited for its time, or an operator does.
  virtual void on_session_dropped(const owner& name,
                                  const session_record& record) = 0;
  /// The session goes on with another connection and the will of that one;
  /// the one in `record` has become due and is not kept any more.
  virtual void on_will_replaced(const owner& name,
                                const session_record& record) = 0;
};

/// The inbox of a session.
[[nodiscard]] inline owner owner_of(const session_ref& session) {
  return {session.realm, owner_kind::session, session.name};
}

/// When a session without a connection ends; nothing if it does not.
[[nodiscard]] std::optional<timestamp> end_of(const session_record& record);

/// The rules of sessions that outlive their connections: a record beside an
/// inbox with one device. Deterministic. A part of the shard_machine.
///
/// The end of a session has two halves, because its routes are in another
/// group: a sweep marks what is over, drops the inbox, and tells the observer;
/// somebody then removes the routes and says drop_session. What is between the
/// halves is listed (session_store::pending_sessions), so that the next leader
/// can go on. A will that is due is listed in the same way until drop_will.
///
/// Failures:
/// - open_session: name_invalid, too_large, not_permitted (the name is that of
///   another user's session), storage_full (above the policy), malformed
///   (receive_max is 0);
/// - all others, for each session: not_found (there is none, or it has
///   expired), not_logged_in (it belongs to a later connection by now);
/// - begin_receive: malformed (packet id 0), too_many (receive_max);
/// - drop_will: not_found (there is none);
/// - drop_session with only_expired: conflict (it has not expired, or its will
///   is not published yet);
/// - commands for several sessions, as a whole: too_many.
class session_machine {
public:
  /// Store and inboxes must outlive the machine; `observer` may be null.
  session_machine(group_id group, session_store& store, inbox_machine& inboxes,
                  session_observer* observer);

  shard_outcome execute(const open_session& c, const shard_context& at);
  shard_outcome execute(const set_session_expiry& c, const shard_context& at);
  shard_outcome execute(const close_session_record& c, const shard_context& at);
  shard_outcome execute(const begin_receive& c, const shard_context& at);
  shard_outcome execute(const end_receive& c, const shard_context& at);
  shard_outcome execute(const delivered& c, const shard_context& at);
  shard_outcome execute(const completed& c, const shard_context& at);
  shard_outcome execute(const drop_will& c, const shard_context& at);
  shard_outcome execute(const drop_session& c, const shard_context& at);
  shard_outcome execute(const set_session_policy& c, const shard_context& at);
  /// Marks up to `limit` sessions that are due, fewer if their inboxes are
  /// big; true if more may be due.
  bool sweep(const shard_context& at, std::uint32_t limit);

  [[nodiscard]] const session_policy& policy() const noexcept {
    return policy_;
  }

private:
  /// The session if it may be used, else why not.
  error find(const session_ref& ref, std::optional<session_record>& found);
  template <class Items, class Change>
  shard_outcome for_each(const Items& items, const Change& change);
  receipt receive(const receive_item& item, std::uint64_t number);
  /// Writes a record and what follows from it: when it is due, whether it is
  /// pending. `before` is what was there.
  void put(const owner& name, const session_record* before,
           const session_record& record);
  void drop(const owner& name, const session_record& record,
            const shard_context& at);

  group_id group_;
  session_store& store_;
  inbox_machine& inboxes_;
  session_observer* observer_;
  session_policy policy_;
};

} // namespace troupe::core
