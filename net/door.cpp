// SPDX-License-Identifier: Apache-2.0
#include "net/door.hpp"

#include <algorithm>

namespace troupe::net {

bool trusts(const door& d, const boost::asio::ip::address& peer) {
  if (d.trusted_proxies.empty())
    return d.proxy == proxy_policy::required || unmapped(peer).is_loopback();
  return std::any_of(
      d.trusted_proxies.begin(), d.trusted_proxies.end(),
      [&](const ip_network& known) { return known.contains(peer); });
}

} // namespace troupe::net
