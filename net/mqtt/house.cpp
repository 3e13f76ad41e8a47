// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/house.hpp"

#include <utility>

namespace troupe::net::mqtt {

void house::open(const parts& with) {
  parts_ = std::make_unique<const parts>(with);
  audit_ = {with.audit, options_.realm};
}

std::string house::elsewhere() const {
  if (!options_.server_reference.empty() || !parts_ || !parts_->elsewhere)
    return options_.server_reference;
  return parts_->elsewhere();
}

void house::enter(const std::string& client_id, tenant who) {
  tenant before;
  {
    const std::lock_guard lock{mutex_};
    auto& now = tenants_[client_id];
    before = std::exchange(now, std::move(who));
  }
  if (before.post)
    before.post([end = std::move(before.end)] { end(farewell::taken_over); });
}

void house::leave(const std::string& client_id, std::uint64_t number) {
  const std::lock_guard lock{mutex_};
  const auto at = tenants_.find(client_id);
  if (at != tenants_.end() && at->second.number == number)
    tenants_.erase(at);
}

void house::each(std::string_view after,
                 const std::function<bool(const std::string&,
                                          const tenant_facts&)>& visit) const {
  const std::lock_guard lock{mutex_};
  for (auto at = tenants_.upper_bound(after); at != tenants_.end(); ++at)
    if (!visit(at->first, at->second.facts))
      return;
}

bool house::introduce(const std::string& client_id, introduction told) const {
  const std::lock_guard lock{mutex_};
  const auto at = tenants_.find(client_id);
  if (at == tenants_.end())
    return false;
  at->second.post([who = at->second.who, number = at->second.number,
                   told = std::move(told)] { told(who(), number); });
  return true;
}

bool house::kick(const std::string& client_id) {
  const std::lock_guard lock{mutex_};
  const auto at = tenants_.find(client_id);
  if (at == tenants_.end())
    return false;
  at->second.post([end = at->second.end] { end(farewell::kicked); });
  return true;
}

core::result<house::trace_page> house::look(const std::string& client_id,
                                            std::uint64_t after) {
  bool fresh = false;
  const auto found = traces_.look(client_id, parts_->clock.now(), fresh);
  if (!found)
    return core::errc::too_many;
  trace_page page{found->read(after), false};
  const std::lock_guard lock{mutex_};
  const auto at = tenants_.find(client_id);
  page.connected = at != tenants_.end();
  if (fresh && page.connected)
    at->second.post([watch = at->second.watch, found] { watch(found); });
  return page;
}

} // namespace troupe::net::mqtt
