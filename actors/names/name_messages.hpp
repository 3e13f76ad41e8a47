// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/handles.hpp"
#include "core/client_command.hpp"
#include "core/errc.hpp"
#include "core/ids.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

/// The messages about client ids of sessions without a record; see
/// handles.hpp. They travel by pointer inside the process, and between nodes as
/// name_wire.hpp has it.
namespace troupe::actors {

struct client_line;

namespace names {

/// When a name was given to somebody: greater is later, whoever led the shard
/// then. All 0: never.
struct name_grant {
  core::term term;
  std::uint64_t number = 0; ///< counted by the leader of that term

  friend auto operator<=>(const name_grant&, const name_grant&) = default;
};

/// A desk: who has a name says so by the one of its loop.
struct desk_address {
  core::node_id node; ///< 0: this one
  std::uint16_t loop = 0;

  friend auto operator<=>(const desk_address&, const desk_address&) = default;
};

/// A realm's client id.
struct client_name {
  std::string realm;
  std::string name;

  friend bool operator==(const client_name&, const client_name&) = default;
};

// ------------------------------------------------------------- desk → shard

struct name_claim {
  std::uint64_t holder = 0; ///< number of its connection
  client_name name;
  /// What it had from the leader before, or from this one.
  name_grant had{};

  friend bool operator==(const name_claim&, const name_claim&) = default;
};
struct names_claimed {
  desk_address from;
  core::group_id group;
  std::vector<name_claim> items;
  /// Given back to the link when it has been worked on. May be null.
  std::shared_ptr<const void> credit{};
};

struct freed_name {
  std::uint64_t holder = 0;
  client_name name;

  friend bool operator==(const freed_name&, const freed_name&) = default;
};
struct names_freed {
  desk_address from;
  core::group_id group;
  std::vector<freed_name> items;
  std::shared_ptr<const void> credit{};
};

// ------------------------------------------------------------- shard → desk

struct name_answer {
  std::uint64_t holder = 0;
  /// - conflict: there is a session of that name with a record;
  /// - not_logged_in: somebody has it who came later;
  /// - overloaded: the shard has too many;
  /// - not_leader, unavailable, shutting_down: not here, or not now.
  core::errc failure = core::errc::ok;
  name_grant given{};

  friend bool operator==(const name_answer&, const name_answer&) = default;
};
struct names_answered {
  core::node_id from; ///< 0: this one
  core::group_id group;
  /// With not_leader: who leads, 0 if unknown there.
  core::node_id leader{};
  std::vector<name_answer> items;
};

/// Somebody else has these names from now on.
struct taken_name {
  std::uint64_t holder = 0;
  name_grant given{};

  friend bool operator==(const taken_name&, const taken_name&) = default;
};
struct names_taken {
  core::node_id from;
  core::group_id group;
  std::vector<taken_name> items;
};

/// That node has forgotten who holds names of the group; claim them again.
struct names_released {
  core::node_id from;
  core::group_id group;
};

// ------------------------------------------------------- links, groups → both

/// The link to a node is gone.
struct names_cut {
  core::node_id peer;
};
/// As far as this node knows.
struct names_led {
  core::group_id group;
  core::node_id leader;
};

// --------------------------------------------------------- connection → desk

struct client_arrived {
  std::uint64_t number = 0;
  std::shared_ptr<client_line> line;
  std::shared_ptr<core::open_client> what;
};
struct client_departed {
  std::uint64_t number = 0;
  std::shared_ptr<client_line> line;
};

} // namespace names
} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::names::client_arrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::names::client_departed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::names::names_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::names::names_claimed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::names::names_cut)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::names::names_freed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::names::names_led)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::names::names_released)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::names::names_taken)
