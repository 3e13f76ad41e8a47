// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <string_view>

namespace troupe::core {

/// A 64-bit hash that is the same on every node and in every version: it
/// decides where state lives. FNV-1a over realm, kind and name with a final
/// mix (the low bits of FNV alone are too regular for a modulus).
[[nodiscard]] std::uint64_t stable_hash(const owner& inbox) noexcept;

/// The data shard of an inbox: 1..shard_count. REQUIRES: shard_count > 0.
[[nodiscard]] group_id shard_of(const owner& inbox,
                                std::uint16_t shard_count) noexcept;

/// The data shard of a retained key, in the same way.
[[nodiscard]] group_id shard_of_key(std::string_view realm,
                                    std::string_view topic,
                                    std::uint16_t shard_count) noexcept;

} // namespace troupe::core
