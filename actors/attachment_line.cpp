// SPDX-License-Identifier: Apache-2.0
#include "actors/attachment_line.hpp"

#include <utility>

namespace troupe::actors {

bool attachment_line::send(const attachment_words::any& what) {
  waiting_.push_back(encode(number_, what));
  if (waiting_.size() > frames_max)
    return false;
  return waiting_.size() > 1 || retry(); // behind others it waits for them
}

bool attachment_line::retry() {
  while (!waiting_.empty()) {
    const auto sent = transport_->send(peer_, way_, key_, waiting_.front());
    if (!sent) {
      if (sent.error().code != core::errc::overloaded)
        return false;
      stats_->attachment_frames_put_off.fetch_add(1, std::memory_order_relaxed);
      return true;
    }
    stats_->attachment_frames_sent.fetch_add(1, std::memory_order_relaxed);
    waiting_.pop_front();
  }
  return true;
}

} // namespace troupe::actors
