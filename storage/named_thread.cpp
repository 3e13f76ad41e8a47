// SPDX-License-Identifier: Apache-2.0
#include "storage/named_thread.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace troupe::storage {

void name_this_thread(const char* name) {
  ::pthread_setname_np(::pthread_self(), name);
}

void prefer_this_thread() {
  constexpr int nice_value = -10;
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice_value);
}

} // namespace troupe::storage
