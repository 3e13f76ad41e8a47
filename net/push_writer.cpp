// SPDX-License-Identifier: Apache-2.0
#include "net/push_writer.hpp"

#include "net/connection.hpp"

#include <utility>

namespace troupe::net {

push_writer& push_writer::here() {
  thread_local const auto mine = std::make_shared<push_writer>();
  return *mine;
}

void push_writer::add(connection& which) {
  if (std::exchange(which.queued_, true))
    return;
  waiting_.push_back(which.shared_from_this());
  which.home().mark_dirty(shared_from_this());
}

void push_writer::flush() {
  for (std::size_t i = 0; i < slice && !waiting_.empty(); ++i) {
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    next->queued_ = false;
    next->flush();
  }
  if (!waiting_.empty())
    waiting_.front()->home().mark_dirty(shared_from_this());
}

} // namespace troupe::net
