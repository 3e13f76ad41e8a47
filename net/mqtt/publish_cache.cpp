// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/publish_cache.hpp"

#include "net/mqtt/crossing.hpp"
#include "net/mqtt/topic_spelling.hpp"

namespace troupe::net::mqtt {

outgoing_publish& publish_cache::get(const core::publication_ptr& what) {
  const bool same = made_ && !of_.owner_before(what) && !what.owner_before(of_);
  if (!same) {
    made_ = outgoing_publish{name_of(what->topic), properties_of(*what),
                             what->payload};
    of_ = what;
    size_ = core::weight(*what);
    ++encoded_;
  }
  return *made_;
}

void publish_cache::clear() {
  of_.reset();
  made_.reset();
  size_ = 0;
}

publish_cache& publish_cache::here() {
  thread_local publish_cache mine;
  return mine;
}

} // namespace troupe::net::mqtt
