// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/session_command.hpp"
#include "core/session_event.hpp"
#include "net/address_limits.hpp"

#include <boost/asio/ip/address.hpp>

#include <vector>

namespace troupe::net {

/// Takes out of `commands` what counts as a login (register, add a device,
/// login) and exceeds the rate of `peer`; the answers to those go to the end
/// of `refused`. Any thread.
void limit_logins(std::vector<core::session_command>& commands,
                  address_limits& limits, const boost::asio::ip::address& peer,
                  core::steady_time now,
                  std::vector<core::session_event>& refused);

} // namespace troupe::net
