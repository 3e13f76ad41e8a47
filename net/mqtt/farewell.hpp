// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace troupe::net::mqtt {

/// Why a connection ends though the client has not asked for it.
enum class farewell : std::uint8_t {
  draining,      ///< the client is to go to another node
  moved,         ///< the node is one of its cluster no more
  shutting_down, ///< the node ends
  taken_over,    ///< the same client has come again
  kicked,        ///< an operator wants it
  out_of_reach,  ///< its session can't be gone on with from here
};

} // namespace troupe::net::mqtt
