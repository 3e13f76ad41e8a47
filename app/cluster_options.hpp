// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/link_network.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

/// What a node is told about its cluster, checked (config_rules.cpp).
struct cluster_options {
  std::string listen;            ///< HOST:PORT
  std::string advertise;         ///< HOST:PORT; "" = what listen says
  std::vector<std::string> join; ///< HOST:PORT each
  std::string secret;
  actors::links::link_tls tls;
  std::string name; ///< of the node, for people
  /// The name was made up and may be made otherwise if it is taken.
  bool name_is_default = false;
};

/// Level, component, text. Thread-safe.
using log_line =
    std::function<void(std::string_view, std::string_view, std::string_view)>;
/// Lets up to so much time pass; true if the process shall end.
using pause_function = std::function<bool(std::chrono::milliseconds)>;

} // namespace troupe::app
