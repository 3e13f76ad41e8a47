// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/link_options.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::actors::links {

/// Connects to the first of some addresses that answers, each with a deadline
/// of its own, so that one that swallows packets costs its time and no more.
/// `done` gets the socket or the reasons of all failures, once; never if the
/// returned handle is dropped before. Any number of them run side by side. On
/// the context's thread.
std::shared_ptr<void> connect_to(
    boost::asio::io_context& context, std::vector<std::string> addresses,
    std::chrono::milliseconds timeout,
    std::function<void(core::result<boost::asio::ip::tcp::socket>)> done);

} // namespace troupe::actors::links
