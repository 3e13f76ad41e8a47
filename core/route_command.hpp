// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Commands of the directory about routes: which publications are queued for
/// which session. What becomes of them is in route_registry.hpp.
namespace troupe::core {

/// How a session wants what matches a filter.
struct route_options {
  std::uint8_t qos = 1; ///< at most this
  bool no_local = false;
  bool retain_as_published = false;
  std::uint32_t subscription_id = 0; ///< 0: none

  friend bool operator==(const route_options&, const route_options&) = default;
};

/// A session has at most one route of a filter and a share name.
struct route_name {
  std::string filter; ///< a core::topic_filter's text
  /// Of those who share a subscription each message goes to one; "": not
  /// shared.
  std::string share;

  friend auto operator<=>(const route_name&, const route_name&) = default;
};

struct route {
  route_name name;
  route_options options;

  friend bool operator==(const route&, const route&) = default;
};

/// First removes, then adds; either all of it or nothing. A route that is
/// there already gets the new options.
struct change_routes {
  std::string realm = "default";
  std::string session; ///< owner name of a session's inbox
  /// session_record::generation. What belongs to an older one is removed by a
  /// younger one's command; an older one's command is refused, so that nothing
  /// late brings routes back.
  std::uint64_t generation = 0;
  bool remove_all = false;
  std::vector<route_name> remove;
  std::vector<route> add;
  /// The session is gone: nothing is kept of it. With remove_all.
  bool forget = false;

  friend bool operator==(const change_routes&, const change_routes&) = default;
};

} // namespace troupe::core
