// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/part_cache.hpp"

#include "net/msgbus/channel_name.hpp"
#include "net/msgbus/history.hpp"

namespace troupe::net::msgbus {

part part_of(const core::publication& what, bool located,
             const std::string& location, const std::string& id) {
  part message;
  message.sender = what.sender;
  message.has_location = located;
  message.location = location;
  message.id = id;
  message.type = type_of(what);
  message.body = what.payload.view();
  return message;
}

const core::shared_bytes& part_cache::get(const core::publication_ptr& what,
                                          framing how, bool located) {
  if (of_.owner_before(what) || what.owner_before(of_)) {
    clear();
    of_ = what;
  }
  auto& slot = made_[static_cast<std::size_t>(how) * 2 + (located ? 1 : 0)];
  if (!slot) {
    const auto location = located ? channel_of(what->topic) : std::string{};
    const auto id =
        is_parts(how) ? std::string{} : message_mark::of(*what).text();
    slot = encode(part_of(*what, located, location, id), how);
    ++written_;
  }
  return *slot;
}

void part_cache::clear() {
  of_.reset();
  for (auto& slot : made_)
    slot.reset();
}

std::size_t part_cache::size() const noexcept {
  std::size_t total = 0;
  for (const auto& slot : made_)
    total += slot ? slot->size() : 0;
  return total;
}

part_cache& part_cache::here() {
  thread_local part_cache mine;
  return mine;
}

} // namespace troupe::net::msgbus
