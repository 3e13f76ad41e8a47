// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/settings.hpp"

#include <string>

namespace troupe::app {

/// The admin interface of a node.
struct admin_options {
  endpoint address{"127.0.0.1", 9090};
  std::string token;
  bool json = false; ///< print the answer as it came
  milliseconds timeout{30'000};
};

} // namespace troupe::app
