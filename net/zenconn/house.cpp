// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/house.hpp"

#include "core/assert.hpp"

namespace troupe::net::zenconn {

void house::came(std::string_view channel) {
  const std::lock_guard lock{mutex_};
  const auto at = members_.find(channel);
  if (at != members_.end())
    ++at->second;
  else
    members_.emplace(channel, 1);
}

void house::went(std::string_view channel) {
  const std::lock_guard lock{mutex_};
  const auto at = members_.find(channel);
  TROUPE_ASSERT(at != members_.end(), "nobody was in that channel");
  if (--at->second == 0)
    members_.erase(at);
}

std::uint64_t house::members(std::string_view channel) const {
  const std::lock_guard lock{mutex_};
  const auto at = members_.find(channel);
  return at == members_.end() ? 0 : at->second;
}

bool house::take(const question& asked) {
  const std::lock_guard lock{mutex_};
  if (!answered_.insert(asked).second)
    return false;
  order_.push_back(asked);
  if (order_.size() > questions_kept) {
    answered_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

} // namespace troupe::net::zenconn
