// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/session_command.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

/// The ops of websocket.MQ as plain values, one struct an op (A.4, A.5 of the
/// protocol page). Strings and bytes are borrowed: from the message_decoder
/// that read them, or from whoever fills in a packet to be encoded.
namespace troupe::net::mq {

/// Strings longer than this are refused in an id and cut everywhere else, so
/// that a header always fits its 65,535 bytes.
inline constexpr std::size_t field_bytes_max = 4096;

/// The part behind the header: application JSON and opaque data.
struct packet_body {
  core::bytes_view etc{};
  core::bytes_view data{};

  [[nodiscard]] std::size_t size() const { return etc.size() + data.size(); }
};

/// How a post wants repeated sends of itself to be recognised (extension).
struct deduplication {
  enum class choice : std::uint8_t {
    as_login, ///< as the login said
    off,
    by_id,  ///< by the packet's id
    by_key, ///< by `key`
  };
  choice what = choice::as_login;
  std::string_view key{};
};

// To the server.

struct register_request {
  std::string_view user;
  std::string_view node;
  std::string_view aliases; ///< separated by white space
};

struct add_node_request {
  std::string_view user;
  std::string_view node;
  std::string_view previous_node;
};

struct login_request {
  std::string_view user;
  std::string_view node;
  // Extensions; absent in old clients.
  std::optional<std::uint32_t> window{};
  std::optional<core::inbox_position> resume{};
  bool deduplicate = false;
};

struct post_request {
  std::string_view id;
  std::vector<core::recipient> to{};
  packet_body body{};
  bool no_nodes = false;
  std::optional<core::milliseconds> time_to_live{}; // extension
  deduplication duplicates{};                       // extension
};

struct ping_request {
  std::string_view id;
  std::string_view alias;
  packet_body body{};
  bool no_nodes = false;
  std::optional<core::milliseconds> time_to_live{}; // extension
  deduplication duplicates{};                       // extension
};

struct list_edit_request {
  std::string_view id;
  std::string_view list;
  std::string_view type; ///< "add", "invite", "remove"; anything may come
  std::string_view member;
  packet_body body{};
};

/// In both directions: a delivery was received, or a request was carried out.
struct ack_packet {
  std::string_view id;
  std::string_view type;    ///< "ok" or "error"
  std::string_view error{}; ///< to the client only; "" if none
};

using client_packet =
    std::variant<register_request, add_node_request, login_request,
                 post_request, ping_request, list_edit_request, ack_packet>;

// To the client.

/// The immediate answer to register (no id) or the queued announcement of
/// changed aliases (id and from set; must be acked).
struct registered_packet {
  std::string_view id{};
  std::string_view from{};
  core::bytes_view etc{}; ///< a JSON string: the aliases
  std::string_view error{};
  std::optional<core::inbox_position> sequence{}; // extension
};

struct added_packet {
  std::optional<core::device_offset> offset{};
  std::string_view error{};
};

struct info_packet {
  std::string_view info;
  // Extensions, only after a login that asked for them.
  std::optional<std::uint32_t> window{};
  std::optional<core::inbox_position> position{};
  std::string_view resume{}; ///< "recovered", "gap" or ""
};

struct quit_packet {
  std::string_view info;
};

struct deliver_packet {
  std::string_view id;
  std::string_view from;
  packet_body body{};
  std::optional<core::inbox_position> sequence{}; // extension
  std::optional<core::timestamp> expires{};       // extension
};

struct list_edited_packet {
  std::string_view id;
  std::string_view from;
  core::bytes_view etc{};
  std::optional<core::inbox_position> sequence{}; // extension
};

using server_packet =
    std::variant<registered_packet, added_packet, info_packet, quit_packet,
                 deliver_packet, ack_packet, list_edited_packet>;

} // namespace troupe::net::mq
