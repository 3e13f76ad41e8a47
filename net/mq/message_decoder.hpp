// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "net/mq/packets.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::mq {

/// Reads messages, `LLLL header-JSON [etc-JSON] [data]` (A.3), into packets.
/// Owns the memory that a packet's strings lie in: they are valid until the
/// next decode, its body also as long as the bytes of the message. About 7 KB
/// big, meant for the stack of one turn; small headers need no heap.
class message_decoder {
public:
  message_decoder();
  message_decoder(const message_decoder&) = delete;
  message_decoder& operator=(const message_decoder&) = delete;

  /// What a client sent. The error is errc::malformed and its detail the text
  /// for the peer: "invalid length header", "invalid JSON header: …",
  /// "invalid request op", "*op* request missing param *x*",
  /// "*op* request invalid param *x*" (length of etc, long ids, extensions),
  /// "message body disallowed for *op*".
  core::result<client_packet> decode_request(core::bytes_view message);

  /// What a server sent; the same errors.
  core::result<server_packet> decode_reply(core::bytes_view message);

private:
  struct header {
    const boost::json::object* fields = nullptr;
    std::string_view op;
    core::bytes_view rest; // what follows the JSON
  };

  core::result<header> read_header(core::bytes_view message);
  core::result<packet_body> read_body(const header& head);
  core::result<client_packet> read_register(const header& head);
  core::result<client_packet> read_add_node(const header& head);
  core::result<client_packet> read_login(const header& head);
  core::result<client_packet> read_post(const header& head);
  core::result<client_packet> read_ping(const header& head);
  core::result<client_packet> read_list_edit(const header& head);
  core::result<client_packet> read_ack(const header& head);
  core::result<server_packet> read_info(const header& head);
  core::result<server_packet> read_deliver(const header& head);
  core::result<server_packet> read_registered(const header& head);
  core::result<server_packet> read_list_edited(const header& head);

  // Parsed values and the parser's stack; both spill to the heap.
  unsigned char nodes_[4096];
  unsigned char stack_[2048];
  boost::json::monotonic_resource memory_;
  boost::json::parser parser_;
  std::optional<boost::json::value> root_;
  std::string inline_etc_; // of a client that put etc into the header
};

/// JavaScript's Number(how), then websocket.MQ's rule that everything but 0,
/// 2 and 3 means 1 (A.8).
[[nodiscard]] core::recipient_kind
to_recipient_kind(const boost::json::value& how);

} // namespace troupe::net::mq
