// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

/// What is written down of what happens at a node's doors
/// (docs/decisions/0020-audit.md).
namespace troupe::core {

/// What a record is about. Numbers are stable (stored).
enum class audit_kind : std::uint8_t {
  // Of the audit itself.
  opened = 1,  ///< a node begins to write; type says how the last one ended
  closed = 2,  ///< and ends in good order
  dropped = 3, ///< `size` records were lost before this one, no room
  trimmed = 4, ///< segments before sequence `size` were removed by retention

  post = 10,    ///< a message to inboxes
  publish = 11, ///< a message to a channel
  join = 12,    ///< somebody listens to a channel
  leave = 13,   ///< and does not any more

  login = 20,
  logout = 21,
  account = 22, ///< a user, his devices or aliases
  list = 23,    ///< who is in a list

  admin = 30, ///< a request to the admin listener that changes something
};
inline constexpr std::array audit_kinds_all{
    audit_kind::opened,  audit_kind::closed,  audit_kind::dropped,
    audit_kind::trimmed, audit_kind::post,    audit_kind::publish,
    audit_kind::join,    audit_kind::leave,   audit_kind::login,
    audit_kind::logout,  audit_kind::account, audit_kind::list,
    audit_kind::admin};
/// "post", …; "unknown" for a number that is none.
[[nodiscard]] std::string_view to_string(audit_kind kind) noexcept;
[[nodiscard]] std::optional<audit_kind>
audit_kind_of(std::string_view name) noexcept;

/// What happened, borrowed for one call; nothing in it is secret. Texts longer
/// than a record holds are cut.
struct audit_entry {
  audit_kind kind = audit_kind::post;
  bool accepted = true;
  std::uint64_t session = 0; ///< number of the connection; 0: none
  std::string_view realm{};
  std::string_view user{};    ///< who did it; "": nobody has said
  std::string_view address{}; ///< where from
  /// Channel, user or list; recipients of a post are separated by '\n', which
  /// no name contains; of an admin request its path.
  std::string_view target{};
  std::uint32_t targets = 0;    ///< how many there were, of a post
  std::string_view type{};      ///< content type, or what exactly was done
  std::string_view reason{};    ///< why it was refused
  std::string_view reference{}; ///< id of the message
  /// What more there is to say: the body of an admin request, aliases, …
  std::string_view detail{};
  std::uint64_t size = 0; ///< of the payload
  /// Kept alive until it is written; what becomes of it is a setting.
  shared_bytes payload{};
};

/// Place of a record in the order in which they were given. 0: it was lost, or
/// there is none.
using audit_ticket = std::uint64_t;

/// Takes records. One a node; implemented by storage/audit, used by doors and
/// the admin listener through a pointer that is null when there is no audit.
/// Thread-safe, never blocks on a disk.
class audit_sink {
public:
  virtual ~audit_sink() = default;

  /// False: new work shall be refused as overloaded, because it could not be
  /// recorded. Cheap.
  [[nodiscard]] virtual bool has_room() const noexcept = 0;

  /// A record that finds no room is counted and lost, and nobody has to wait
  /// for it.
  virtual audit_ticket record(const audit_entry& what) = 0;

  /// Whether the record with this ticket, and all before it, are as safe as
  /// an answer has to wait for. Cheap; true for ticket 0.
  [[nodiscard]] virtual bool is_kept(audit_ticket ticket) const noexcept = 0;

  /// Calls `then` once is_kept(ticket): at once from inside, or later on
  /// another thread, where it must not block. Destroyed uncalled if the node
  /// ends first.
  virtual void when_kept(audit_ticket ticket, std::function<void()> then) = 0;
};

} // namespace troupe::core
