// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::app {

/// The protocol `troupe pub` and `troupe sub` speak.
enum class via : std::uint8_t {
  mq,      ///< websocket.MQ: from user to user, kept until acknowledged
  msgbus,  ///< channels, as multipart
  sse,     ///< channels, as server-sent events
  zenconn, ///< channels over WebSocket, as JSON
  mqtt,    ///< topics over MQTT 5
};

/// To which node they talk, and as whom.
struct channel_peer {
  endpoint server{"127.0.0.1", 8080};
  std::string user;     ///< "" = nobody in particular
  std::string password; ///< of msgbus
  std::string token;    ///< of channels; instead of user and password
  std::string device;   ///< of websocket.MQ
  bool create = false;  ///< the user with this device, of websocket.MQ
  std::chrono::milliseconds timeout{10'000};
};

inline constexpr std::string_view json_type = "application/json";

/// troupe pub
struct pub_options {
  channel_peer peer;
  via door = via::msgbus;
  std::string target; ///< a channel, or a user
  std::string type = "text/plain; charset=utf-8";
  std::optional<std::string> text; ///< unset = standard input
};

/// troupe sub
struct sub_options {
  channel_peer peer;
  via door = via::sse;
  std::string channel;                ///< "" = all; nothing with websocket.MQ
  std::optional<std::string> types;   ///< patterns, with commas between
  std::optional<std::string> senders; ///< the same
  std::string since; ///< id of a message to go on behind, "" = from now on
  bool json = false;
  std::uint64_t count = 0; ///< end after so many messages; 0 = go on
};

} // namespace troupe::app
