// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace troupe::core {

/// Who of those that share a subscription gets a publication.
enum class share_policy : std::uint8_t {
  round_robin,  ///< one after the other, all nodes together
  local,        ///< the same among those of this node, if there are any
  by_publisher, ///< the same one for all of a publisher
  by_topic,     ///< the same one for all of a topic
};

} // namespace troupe::core
