// SPDX-License-Identifier: Apache-2.0
#include "core/ids.hpp"

namespace troupe::core {

std::string to_string(const message_id& id) {
  return std::to_string(id.millis) + '-' + std::to_string(id.number);
}

} // namespace troupe::core
