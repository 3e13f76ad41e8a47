// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mq/packets.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::app {

/// What arrived in an inbox, in our own memory.
struct inbox_message {
  std::string id;
  std::string kind; ///< "message", "aliases changed", "list changed"
  std::string from;
  std::string etc; ///< JSON, "" if none
  std::string data;
};

[[nodiscard]] std::string base64(std::string_view bytes);

/// Everything but line ends, tabs and what is printable becomes \xNN: a
/// message must not take over a terminal.
[[nodiscard]] std::string visible(std::string_view text);

/// The message in a packet, or nothing if it is none that has to be
/// acknowledged.
[[nodiscard]] std::optional<inbox_message>
inbox_message_of(const net::mq::server_packet& packet);

/// "id from: data", with control characters made visible: a message must not
/// take over a terminal.
[[nodiscard]] std::string text_line(const inbox_message& message);

/// One JSON object. Data that is not UTF-8 goes to "data_base64".
[[nodiscard]] std::string json_line(const inbox_message& message);

} // namespace troupe::app
