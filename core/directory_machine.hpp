// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/directory_store.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/route_registry.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::core {

inline constexpr std::size_t devices_per_user_max = 100;
inline constexpr std::size_t aliases_per_user_max = 100;
inline constexpr std::uint64_t list_members_max = 100'000;
/// Bounds of one import_directory: users, lists, and members of all its lists.
inline constexpr std::size_t import_users_max = 10'000;
inline constexpr std::size_t import_lists_max = 10'000;
inline constexpr std::size_t import_members_max = 100'000;
/// An origin that proposed nothing for so long is forgotten, unless it is one
/// of origins_kept.
inline constexpr milliseconds origin_retention = std::chrono::hours{7 * 24};

/// What became of a list edit.
struct list_change {
  std::string uid; ///< whom it was about (for an invitation: whose alias)
  /// invite: the alias. add: the alias of the invitation that this accepts,
  /// else "".
  std::string alias;
  membership before = membership::none;
  membership after = membership::none;
  bool list_created = false;
  bool list_removed = false;

  friend bool operator==(const list_change&, const list_change&) = default;
};

/// What became of an import.
struct import_counts {
  std::uint64_t users_added = 0;
  std::uint64_t users_kept = 0; ///< were there before
  /// A name that is none, no device, two devices of one name or offset, …
  std::uint64_t users_refused = 0;
  std::uint64_t aliases_dropped = 0; ///< taken, or no names
  std::uint64_t lists_added = 0;
  std::uint64_t lists_kept = 0;
  std::uint64_t lists_refused = 0;   ///< no name, or nobody in it
  std::uint64_t members_dropped = 0; ///< no such user

  friend bool operator==(const import_counts&, const import_counts&) = default;
};

/// The answer to a directory command; the same on every replica.
struct directory_outcome {
  log_index index; ///< where in the log it was decided
  /// Code ok if it worked; then nothing is half done. On a failure nothing
  /// changed (but that the idempotency key is used up).
  error failure;
  /// create_user, replace_aliases: the aliases the user has now, also with
  /// errc::user_exists. remove_user: those that are free again.
  std::vector<std::string> aliases;
  /// replace_aliases: false if the command gave none and so only reported.
  bool aliases_replaced = false;
  /// create_user, create_device: the device's; also with errc::device_exists.
  std::optional<device_offset> offset;
  /// create_device: the device whose inbox state the new one inherits.
  std::optional<device_offset> inherits;
  /// remove_user: the offsets of all devices it had.
  std::vector<device_offset> devices;
  list_change list;
  import_counts imported;
  /// change_cluster: see cluster_outcome.
  node_id node;
  /// change_routes: see route_outcome.
  std::vector<route_result> routes;

  friend bool operator==(const directory_outcome&,
                         const directory_outcome&) = default;
};

/// Applies the commands of the directory group. Deterministic: what it answers
/// and what it leaves in the store depends on the commands so far alone. Owned
/// by the directory's actor; not thread-safe.
///
/// Failures: duplicate (the idempotency key was used before), name_invalid
/// (detail: the name), too_many, and
/// - create_user: user_exists, device_name_required;
/// - replace_aliases, remove_user: user_unknown;
/// - create_device: device_name_required, user_unknown, previous_device_invalid
///   (none given), device_unknown (no such previous device), device_exists,
///   no_device_offset;
/// - change_cluster: those of core::apply(node_store&, …);
/// - change_rights: those of core::apply(rights_store&, …);
/// - change_routes: those of core::apply(route_store&, …);
/// - change_list: list_unknown (remove), not_a_member (the caller is not in the
///   list or no user at all), user_unknown (add: no such user;
///   remove: not in the list), alias_unknown (invite).
class directory_machine {
public:
  /// Both must live longer. `routes` may be null; it is loaded from the store,
  /// which takes a walk over all routes, and is kept up from then on.
  explicit directory_machine(directory_store& store,
                             route_table* routes = nullptr);

  directory_outcome apply(log_index index,
                          const logged_directory_command& command);

private:
  directory_store& store_;
  route_table* routes_;
};

} // namespace troupe::core
