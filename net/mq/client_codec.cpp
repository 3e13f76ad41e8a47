// SPDX-License-Identifier: Apache-2.0
#include "net/mq/client_codec.hpp"

#include "net/mq/message_encoder.hpp"

namespace troupe::net::mq {

namespace {

constexpr std::size_t frame_payload_max = (std::size_t{1} << 31) - 1;

template <class Packet>
packet_body body_of(const Packet& packet) {
  if constexpr (requires { packet.body; })
    return packet.body;
  else if constexpr (requires { packet.etc; })
    return {packet.etc, {}};
  else
    return {};
}

void append_body(std::string& to, const packet_body& body) {
  to.append(core::as_text(body.etc));
  to.append(core::as_text(body.data));
}

template <class Variant>
bool append_as_message(std::string& to, const Variant& packet) {
  return std::visit(
      [&](const auto& what) {
        packet_head head;
        if (!encode(head, what))
          return false;
        to.append(head.view());
        append_body(to, body_of(what));
        return true;
      },
      packet);
}

template <class Variant>
bool append_as_frame(std::string& to, const Variant& packet) {
  return std::visit(
      [&](const auto& what) {
        packet_head head;
        if (!encode(head, what))
          return false;
        const auto body = body_of(what);
        const auto payload = head.size() + body.size();
        if (payload > frame_payload_max)
          return false;
        to.append(head.framed([&](std::byte* header) {
          return write_frame_header(header, payload);
        }));
        append_body(to, body);
        return true;
      },
      packet);
}

} // namespace

bool append_message(std::string& to, const client_packet& packet) {
  return append_as_message(to, packet);
}
bool append_frame(std::string& to, const client_packet& packet) {
  return append_as_frame(to, packet);
}
bool append_message(std::string& to, const server_packet& packet) {
  return append_as_message(to, packet);
}
bool append_frame(std::string& to, const server_packet& packet) {
  return append_as_frame(to, packet);
}

} // namespace troupe::net::mq
