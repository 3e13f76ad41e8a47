// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/admin_options.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What `troupe audit …` can be told.
namespace troupe::app {

struct audit_query_options {
  admin_options admin;
  std::string folder; ///< of the log; "": the node is asked
  /// As the node's interface names them (docs/admin.md).
  std::vector<std::pair<std::string, std::string>> terms;
  milliseconds since{0};     ///< not older; 0: not asked for
  std::uint64_t limit = 100; ///< 0: all
  bool lines = false;        ///< one JSON object a line
};
struct audit_state_options {
  admin_options admin;
};
struct audit_verify_options {
  std::string folder;
  std::string key_file;
  std::string anchor;
  bool json = false;
};

} // namespace troupe::app
