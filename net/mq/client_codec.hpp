// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mq/message_decoder.hpp"
#include "net/mq/packets.hpp"

#include <string>

/// The client's side of websocket.MQ, for our own tools: packets to bytes for
/// either framing. Reading uses decode_frame() and
/// message_decoder::decode_reply().
namespace troupe::net::mq {

/// Appends a whole message (for a WebSocket message). False, with `to`
/// unchanged, if the header exceeds 65,535 bytes.
[[nodiscard]] bool append_message(std::string& to, const client_packet& packet);

/// Appends a whole draft-04 frame. False also from 2 GiB on.
[[nodiscard]] bool append_frame(std::string& to, const client_packet& packet);

/// The same for what a server says, so that tools can play one.
[[nodiscard]] bool append_message(std::string& to, const server_packet& packet);
[[nodiscard]] bool append_frame(std::string& to, const server_packet& packet);

} // namespace troupe::net::mq
