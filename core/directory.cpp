// SPDX-License-Identifier: Apache-2.0
#include "core/directory.hpp"

#include <algorithm>

namespace troupe::core {

const user_device* find_device(const user_record& user,
                               std::string_view name) noexcept {
  const auto found =
      std::find_if(user.devices.begin(), user.devices.end(),
                   [&](const user_device& d) { return d.name == name; });
  return found == user.devices.end() ? nullptr : &*found;
}

const user_device* find_device(const user_record& user,
                               device_offset offset) noexcept {
  const auto found =
      std::find_if(user.devices.begin(), user.devices.end(),
                   [&](const user_device& d) { return d.offset == offset; });
  return found == user.devices.end() ? nullptr : &*found;
}

membership directory::membership_of(std::string_view realm,
                                    std::string_view list,
                                    std::string_view uid) const {
  const auto member = store_.member(realm, list, uid);
  return member ? member->state : membership::none;
}

realm_totals directory::totals() const {
  realm_totals sum;
  store_.each_realm([&](std::string_view realm) {
    const auto part = store_.totals(realm);
    sum.users += part.users;
    sum.devices += part.devices;
    sum.aliases += part.aliases;
    sum.lists += part.lists;
    return true;
  });
  return sum;
}

} // namespace troupe::core
