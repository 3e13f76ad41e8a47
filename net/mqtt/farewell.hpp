// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace troupe::net::mqtt {

/// Why a connection ends though the client has not asked for it.
enum class farewell : std::uint8_t {
  draining,      ///< the client is to go to another node
  shutting_down, ///< the node ends
  taken_over,    ///< the same client has come again
  kicked,        ///< an operator wants it
};

} // namespace troupe::net::mqtt
