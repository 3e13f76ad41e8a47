// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/receive_window.hpp"

#include <algorithm>

namespace troupe::net::mqtt {

bool receive_window::holds(packet_id id) const {
  return std::binary_search(ids_.begin(), ids_.end(), id.value());
}

bool receive_window::is_due(packet_id id) const {
  return std::any_of(line_.begin() + static_cast<std::ptrdiff_t>(first_),
                     line_.end(), [&](const place& each) {
                       return each.told.level == qos::exactly_once &&
                              each.told.id == id;
                     });
}

void receive_window::begin(packet_id id, qos level, std::uint64_t ticket) {
  line_.push_back({ticket, {id, level, reason_code::success}, false});
  if (level != qos::exactly_once) {
    ++waiting_once_;
    return;
  }
  const auto at = std::lower_bound(ids_.begin(), ids_.end(), id.value());
  if (at == ids_.end() || *at != id.value())
    ids_.insert(at, id.value());
}

void receive_window::set(std::uint64_t ticket, reason_code outcome) {
  // Tickets ascend.
  const auto at = std::lower_bound(
      line_.begin() + static_cast<std::ptrdiff_t>(first_), line_.end(), ticket,
      [](const place& each, std::uint64_t of) { return each.ticket < of; });
  if (at == line_.end() || at->ticket != ticket)
    return;
  at->told.outcome = outcome;
  at->ready = true;
}

bool receive_window::take(answer& next) {
  if (settled() || !line_[first_].ready)
    return false;
  next = line_[first_].told;
  ++first_;
  if (settled()) {
    if (line_.capacity() > 64)
      std::vector<place>{}.swap(line_);
    line_.clear();
    first_ = 0;
  }
  if (next.level != qos::exactly_once)
    --waiting_once_;
  else if (is_failure(next.outcome))
    release(next.id);
  return true;
}

bool receive_window::release(packet_id id) {
  const auto at = std::lower_bound(ids_.begin(), ids_.end(), id.value());
  if (at == ids_.end() || *at != id.value())
    return false;
  ids_.erase(at);
  if (ids_.empty() && ids_.capacity() > 64)
    std::vector<std::uint16_t>{}.swap(ids_);
  return true;
}

void receive_window::clear() {
  std::vector<place>{}.swap(line_);
  std::vector<std::uint16_t>{}.swap(ids_);
  first_ = waiting_once_ = 0;
}

} // namespace troupe::net::mqtt
