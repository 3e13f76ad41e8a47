// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/route_command.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace troupe::core {

/// What the directory knows of a session that has or had routes.
struct session_routes {
  std::uint64_t generation = 0; ///< the newest one that said something
  std::uint64_t routes = 0;

  friend bool operator==(const session_routes&,
                         const session_routes&) = default;
};

/// Over all realms.
struct route_totals {
  std::uint64_t sessions = 0;
  std::uint64_t routes = 0;

  friend bool operator==(const route_totals&, const route_totals&) = default;
};

/// The part of the directory's tables that says which publications are queued
/// for which session. Visitors return false to stop and must not change the
/// store.
class route_store {
public:
  virtual ~route_store() = default;

  virtual std::optional<session_routes>
  routes_of(std::string_view realm, std::string_view session) const = 0;
  virtual void put_routes_of(std::string_view realm, std::string_view session,
                             const session_routes& record) = 0;
  virtual void erase_routes_of(std::string_view realm,
                               std::string_view session) = 0;

  virtual std::optional<route_options>
  find_route(std::string_view realm, std::string_view session,
             const route_name& name) const = 0;
  /// False, and nothing is changed, if there is no place for it: the session
  /// has another one with the same hash. Never so while share name and filter
  /// have 200 bytes and less together.
  virtual bool put_route(std::string_view realm, std::string_view session,
                         const route& what) = 0;
  virtual void erase_route(std::string_view realm, std::string_view session,
                           const route_name& name) = 0;

  using route_visitor = std::function<bool(const route& what)>;
  virtual void each_route(std::string_view realm, std::string_view session,
                          const route_visitor& visit) const = 0;
  using any_route_visitor = std::function<bool(
      std::string_view realm, std::string_view session, const route& what)>;
  /// Those of all sessions.
  virtual void each_route(const any_route_visitor& visit) const = 0;

  /// All zero if there are none.
  virtual route_totals totals_of_routes() const = 0;
  virtual void put_totals_of_routes(const route_totals& totals) = 0;
};

} // namespace troupe::core
