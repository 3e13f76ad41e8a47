// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/endpoint.hpp"
#include "core/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <chrono>
#include <optional>

namespace troupe::app {

/// A TCP connection for command-line tools: every call blocks until it is done
/// or its time is up. One thread.
class blocking_stream {
public:
  /// Tries each address the name stands for, in order.
  [[nodiscard]] core::result<void> connect(const endpoint& to,
                                           std::chrono::milliseconds timeout);

  /// Starts an operation on the stream and waits for it. `start` gets the
  /// stream and a handler of (error_code, anything…).
  template <class Start>
  boost::system::error_code
  run(std::optional<std::chrono::milliseconds> timeout, Start start) {
    boost::system::error_code outcome;
    if (timeout)
      stream_.expires_after(*timeout);
    else
      stream_.expires_never();
    start(stream_, [&outcome](boost::system::error_code e, const auto&...) {
      outcome = e;
    });
    io_.restart();
    io_.run();
    return outcome;
  }

private:
  boost::asio::io_context io_;
  boost::beast::tcp_stream stream_{io_};
};

/// For people: "timed out", "connection refused", …
[[nodiscard]] core::error network_error(const endpoint& peer,
                                        const boost::system::error_code& why);

} // namespace troupe::app
