// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/blocking_stream.hpp"
#include "app/options.hpp"
#include "core/result.hpp"
#include "net/mq/message_decoder.hpp"
#include "net/mq/packets.hpp"

#include <optional>
#include <string>

namespace troupe::app {

/// A websocket.MQ client for the command line: its own frames over plain TCP,
/// blocking, one thread. What the node says is an error of errc::unavailable
/// with the node's own text.
class mq_client {
public:
  /// REQUIRES: `options` outlives the client.
  explicit mq_client(const client_options& options) : options_(options) {}

  /// Connects, registers the user if asked for, and logs in with a window.
  [[nodiscard]] core::result<void> open(std::uint32_t window);

  [[nodiscard]] core::result<void> send(const net::mq::client_packet& packet);

  /// The next packet; borrowed until the next call. `quit` and a closed
  /// connection are errors. Without a timeout it waits for ever.
  [[nodiscard]] core::result<net::mq::server_packet>
  receive(std::optional<milliseconds> timeout);

  /// Sends a request and waits for its acknowledgement; what is delivered
  /// meanwhile stays in the inbox. The text is the node's remark, "" if none:
  /// a recipient that was not reached, say.
  [[nodiscard]] core::result<std::string>
  request(const net::mq::client_packet& packet, std::string_view id);

private:
  core::result<void> register_user();
  core::result<void> login(std::uint32_t window);
  core::result<void> read_more(std::optional<milliseconds> timeout);

  const client_options& options_;
  blocking_stream stream_;
  std::string received_;
  std::size_t used_ = 0; // of received_, by the packet handed out last
  net::mq::message_decoder decoder_;
};

} // namespace troupe::app
