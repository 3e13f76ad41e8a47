// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::storage {

/// Names a cluster for good; random, given at bootstrap. Everything a node
/// writes to disk carries it, so that folders of two clusters can't be mixed.
struct cluster_id {
  std::array<std::uint8_t, 16> bytes{};

  /// From the system's source of randomness.
  static cluster_id random();
  /// Reads what to_string wrote; nothing if it is anything else.
  static std::optional<cluster_id> parse(std::string_view text);

  friend auto operator<=>(const cluster_id&, const cluster_id&) = default;
};

/// 32 lower-case hexadecimal digits.
std::string to_string(const cluster_id& id);

} // namespace troupe::storage
