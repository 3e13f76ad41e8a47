// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>

namespace troupe::app {

/// Where a command reads and writes; tests put strings behind it.
struct terminal {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

} // namespace troupe::app
