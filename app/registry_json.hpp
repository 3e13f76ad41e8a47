// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/directory.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

/// The registry of the old websocket.MQ server, one JSON document (`mqreg`):
///   {"uid": {U: {"nodes": {name: offset}, "aliases": [A, …]}},
///    "alias": {A: U},
///    "list": {L: {U: 1, U: "alias of an invitation"}}}
namespace troupe::app {

/// Users in one command of an import: small enough that the log stays
/// responsive for others.
inline constexpr std::size_t users_per_import = 500;
/// Members of the lists in one command, unless one list alone has more.
inline constexpr std::size_t members_per_import = 10'000;

/// The document as commands for the directory: all users first, then the
/// lists. Where "alias" and the users disagree about an alias, "alias" counts.
/// A user whose offsets are out of range is passed on as it is: the directory
/// refuses and counts it. Unknown members of the document are ignored.
/// Errors: malformed (detail: the place), too_many (a list above
/// core::list_members_max).
[[nodiscard]] core::result<std::vector<core::import_directory>>
parse_registry(std::string_view text, std::string_view realm);

/// Writes users and lists of a realm as such a document, in pieces of some
/// 64 KiB; `write` returns false to give up. Reads page by page, so a change
/// made meanwhile may be in it or not.
void export_registry(const core::directory& directory, std::string_view realm,
                     const std::function<bool(std::string_view)>& write);

} // namespace troupe::app
