// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/memory.hpp"

#include <malloc.h>

namespace troupe::actors::runtime {

void keep_freed_memory() noexcept {
#ifdef __GLIBC__
  // Either of them alone still faults: a heap grows by what is asked plus the
  // pad, and shrinks when the free end exceeds the threshold. Setting them
  // also ends the adaptive mmap threshold, so that is pinned too: low enough
  // that large messages go back to the system when they are freed, in whatever
  // order that happens.
  mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
  mallopt(M_TOP_PAD, 1024 * 1024);
  mallopt(M_MMAP_THRESHOLD, 512 * 1024);
#endif
}

} // namespace troupe::actors::runtime
