// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace troupe::core {

void assertion_failed(const char* file, int line, const char* condition,
                      const char* text) {
  std::fprintf(stderr, "%s:%d: broken invariant (%s): %s\n", file, line,
               condition, text);
  std::abort();
}

} // namespace troupe::core
