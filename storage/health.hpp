// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace troupe::storage {

/// How much room a store has left, from good to bad.
enum class space_level : std::uint8_t {
  ok = 0,   ///< take on anything
  low = 1,  ///< refuse work that grows what is kept
  full = 2, ///< as low, and the store itself may refuse before long
};

/// A store's own view of its room, with a reason for people ("" if ok).
struct health {
  space_level level = space_level::ok;
  std::string reason;

  friend bool operator==(const health&, const health&) = default;
};

} // namespace troupe::storage
