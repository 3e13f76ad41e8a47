// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/link_options.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace troupe::actors::links {

using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

/// Looks one name up with the C library's own background threads: lookups do
/// not wait for each other, and one that hangs does not hold up the end of
/// the process. An address is answered at once (in a handler of its own).
/// Dropping the returned handle drops the answer. On the context's thread.
std::shared_ptr<void>
look_up(boost::asio::io_context& context, const host_port& where,
        std::function<void(core::result<endpoints>)> done);

} // namespace troupe::actors::links
