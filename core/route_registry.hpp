// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/route_command.hpp"
#include "core/route_store.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::core {

class route_table;

inline constexpr std::uint64_t routes_per_session_max = 10'000;
inline constexpr std::uint64_t routes_max = 2'000'000;
/// Of one change_routes.
inline constexpr std::size_t route_changes_max = 10'000;

/// What became of one of the routes of a command. Numbers are stable (sent).
enum class route_result : std::uint8_t {
  was_absent = 0,
  was_present = 1, ///< and is removed, or has the new options
  refused = 2,     ///< see route_store::put_route
};

struct route_outcome {
  error failure;
  /// One for each of `remove`, then one for each of `add`.
  std::vector<route_result> results;
};

/// Applies one command about routes, also to the table if there is one; on a
/// failure nothing has changed. Deterministic. Failures:
/// - name_invalid: a session, share name or filter that is none;
/// - too_large: a filter above topic_limits;
/// - too_many: above the bounds above (with what is removed counted off);
/// - malformed: forget without remove_all, or with routes to add;
/// - conflict: a command of an older generation than was heard of before.
route_outcome apply(route_store& store, const change_routes& command,
                    route_table* table);

} // namespace troupe::core
