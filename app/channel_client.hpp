// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/blocking_stream.hpp"
#include "app/channel_options.hpp"
#include "core/result.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <array>
#include <string>
#include <string_view>

namespace troupe::app {

/// A client of /msgbus/ for the command line: plain TCP, blocking, one thread,
/// one request. What the node refuses is errc::unavailable with its own words.
class channel_client {
public:
  /// REQUIRES: `peer` outlives the client.
  explicit channel_client(const channel_peer& peer) : peer_(peer) {}

  /// Returns once it was handed to all who listen.
  [[nodiscard]] core::result<void> publish(const std::string& channel,
                                           const std::string& type,
                                           const std::string& data);

  /// Returns once it listens. `query` is what is behind the `?`, encoded.
  [[nodiscard]] core::result<void> subscribe(const std::string& channel,
                                             const std::string& query,
                                             const std::string& accept);

  /// What comes next in the stream, at least one byte; borrowed until the next
  /// call. Waits for ever; the end is an error.
  [[nodiscard]] core::result<std::string_view> read();

private:
  const channel_peer& peer_;
  blocking_stream stream_;
  boost::beast::flat_buffer buffer_;
  boost::beast::http::response_parser<boost::beast::http::buffer_body> answer_;
  std::array<char, 65'536> piece_{};
};

/// Whether a target of a request can carry it as it is: nothing is decoded on
/// the other side. malformed: why not.
[[nodiscard]] core::result<void> check_channel(std::string_view channel);

} // namespace troupe::app
