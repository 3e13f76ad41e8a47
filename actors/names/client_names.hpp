// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/names/name_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::actors::names {

/// Who has which client id of a shard, of sessions that have no record: a row
/// each, at the shard's leader, in memory only. Who comes later gets the name;
/// which of two is later does not depend on who tells first (name_grant).
class client_names {
public:
  struct row {
    desk_address at;
    std::uint64_t holder = 0;
    name_grant given{};
  };
  struct outcome {
    /// ok, not_logged_in or overloaded.
    core::errc failure = core::errc::ok;
    name_grant given{};
    /// Had the name until now.
    std::optional<row> before{};
  };

  explicit client_names(std::size_t rows_max) : rows_max_(rows_max) {}

  /// This node leads in `term`. Before the first claim of each term.
  void lead_in(core::term term);
  outcome claim(const desk_address& from, const name_claim& what);
  /// Nothing if somebody else has it by now.
  void free(const desk_address& from, const freed_name& what);
  /// The name is a recorded session's from now on.
  std::optional<row> take(const client_name& name);
  void forget_node(core::node_id node);
  void forget_desk(const desk_address& desk);
  /// All desks that have rows; there are none any more.
  std::vector<desk_address> clear();

  [[nodiscard]] std::size_t size() const { return rows_.size(); }

private:
  struct name_hash {
    std::size_t operator()(const client_name& n) const noexcept {
      const std::hash<std::string_view> hash;
      return hash(n.name) * 31U + hash(n.realm);
    }
  };

  std::size_t rows_max_;
  std::unordered_map<client_name, row, name_hash> rows_;
  name_grant last_{};
};

} // namespace troupe::actors::names
