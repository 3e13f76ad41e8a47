// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/blocking_stream.hpp"
#include "app/channel_options.hpp"
#include "app/channel_stream.hpp"
#include "core/result.hpp"
#include "net/mqtt/packets.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::app {

/// A client of MQTT 5 for the command line: plain TCP, blocking, one thread,
/// one publication (QoS 1) or subscription (QoS 0). What the node refuses is
/// errc::unavailable with its own words.
class mqtt_client {
public:
  /// REQUIRES: `peer` outlives the client.
  explicit mqtt_client(const channel_peer& peer) : peer_(peer) {}

  /// Returns with a session of its own.
  [[nodiscard]] core::result<void> open();
  /// Returns once the node has taken it.
  [[nodiscard]] core::result<void> publish(const std::string& topic,
                                           const std::string& type,
                                           const std::string& data);
  /// Returns once it listens.
  [[nodiscard]] core::result<void> subscribe(const std::string& filter);
  /// The next message. Waits for ever.
  [[nodiscard]] core::result<channel_message> next();
  /// Says goodbye.
  void close();

private:
  [[nodiscard]] core::result<void> send(const net::mqtt::any_packet& what);
  /// Reads packets until `take` is content with one, or the end.
  [[nodiscard]] core::result<void>
  read(std::optional<std::chrono::milliseconds> timeout,
       const std::function<bool(const net::mqtt::any_packet&)>& take);

  const channel_peer& peer_;
  blocking_stream stream_;
  std::string pending_;
};

/// Whether it can be published to, or subscribed to. malformed: why not.
[[nodiscard]] core::result<void> check_mqtt_topic(std::string_view topic);
[[nodiscard]] core::result<void> check_mqtt_filter(std::string_view filter);

} // namespace troupe::app
