// SPDX-License-Identifier: Apache-2.0
#include "storage/fatal.hpp"

#include <cstdio>
#include <unistd.h>

namespace troupe::storage {

void stop_the_node(std::string_view what) {
  std::fprintf(stderr, "troupe: %.*s; the node stops now\n",
               static_cast<int>(what.size()), what.data());
  ::_exit(70);
}

} // namespace troupe::storage
