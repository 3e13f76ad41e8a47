// SPDX-License-Identifier: Apache-2.0
#include "app/blocking_stream.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/error.hpp>

namespace troupe::app {

core::error network_error(const endpoint& peer,
                          const boost::system::error_code& why) {
  if (why == boost::beast::error::timeout)
    return {core::errc::timed_out, to_string(peer)};
  return {core::errc::unavailable, to_string(peer) + ": " + why.message()};
}

core::result<void> blocking_stream::connect(const endpoint& to,
                                            std::chrono::milliseconds timeout) {
  boost::asio::ip::tcp::resolver resolver{io_};
  boost::system::error_code unresolved;
  const auto addresses =
      resolver.resolve(to.host, std::to_string(to.port), unresolved);
  if (unresolved)
    return network_error(to, unresolved);
  const auto failed = run(timeout, [&addresses](auto& stream, auto done) {
    stream.async_connect(addresses, std::move(done));
  });
  if (failed)
    return network_error(to, failed);
  boost::system::error_code ignored; // only slower without it
  stream_.socket().set_option(boost::asio::ip::tcp::no_delay{true}, ignored);
  return {};
}

} // namespace troupe::app
