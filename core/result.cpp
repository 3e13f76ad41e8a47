// SPDX-License-Identifier: Apache-2.0
#include "core/result.hpp"

namespace troupe::core {

std::string to_string(const error& e) {
  std::string text{to_string(e.code)};
  if (!e.detail.empty()) {
    text += ": ";
    text += e.detail;
  }
  return text;
}

} // namespace troupe::core
