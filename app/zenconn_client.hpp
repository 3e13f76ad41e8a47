// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/channel_options.hpp"
#include "app/channel_stream.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::app {

/// A client of ZenConn's door for the command line: plain TCP, blocking, one
/// thread; see docs/protocols/zenconn.md. What the node refuses is
/// errc::unavailable with its own words.
class zenconn_client {
public:
  static constexpr std::string_view everybody = "*";

  /// REQUIRES: `peer` outlives the client.
  explicit zenconn_client(const channel_peer& peer);
  ~zenconn_client();
  zenconn_client(const zenconn_client&) = delete;
  zenconn_client& operator=(const zenconn_client&) = delete;

  /// Returns with a session of its own.
  [[nodiscard]] core::result<void> open();

  /// Returns once it listens.
  [[nodiscard]] core::result<void> join(const std::string& channel);

  /// `data` is JSON; the channel may be `everybody`. Returns how many
  /// other sessions it goes to. REQUIRES: it has joined the channel.
  [[nodiscard]] core::result<std::uint64_t>
  broadcast(const std::string& channel, const std::string& data);

  /// The next event; a text comes as it is, other data as JSON. Waits for ever;
  /// the end, also of the right to listen, is an error.
  [[nodiscard]] core::result<channel_message> next();

  /// Says goodbye; what it hears meanwhile is lost.
  void close();

private:
  struct session;
  std::unique_ptr<session> session_;
};

} // namespace troupe::app
