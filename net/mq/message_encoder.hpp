// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mq/packet_head.hpp"
#include "net/mq/packets.hpp"

/// Packets to bytes, both directions (A.3–A.5). Each encode() writes a packet's
/// head, fields in the order of the protocol page; etc and data follow it as
/// they are. The answer is false if the header exceeds 65,535 bytes, which
/// needs many recipients or names of tens of kilobytes: replies always fit.
namespace troupe::net::mq {

// To the client. Texts are cut at field_bytes_max.
bool encode(packet_head& to, const registered_packet& packet);
bool encode(packet_head& to, const added_packet& packet);
bool encode(packet_head& to, const info_packet& packet);
bool encode(packet_head& to, const quit_packet& packet);
bool encode(packet_head& to, const deliver_packet& packet);
bool encode(packet_head& to, const list_edited_packet& packet);

// To the server.
[[nodiscard]] bool encode(packet_head& to, const register_request& packet);
[[nodiscard]] bool encode(packet_head& to, const add_node_request& packet);
[[nodiscard]] bool encode(packet_head& to, const login_request& packet);
[[nodiscard]] bool encode(packet_head& to, const post_request& packet);
[[nodiscard]] bool encode(packet_head& to, const ping_request& packet);
[[nodiscard]] bool encode(packet_head& to, const list_edit_request& packet);

// Both.
bool encode(packet_head& to, const ack_packet& packet);

} // namespace troupe::net::mq
