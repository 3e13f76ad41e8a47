// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::core {

/// What a message in an inbox is about. Numbers are stable (stored).
enum class message_kind : std::uint8_t {
  post = 0,            ///< sent by a user to users or lists
  aliases_changed = 1, ///< to all devices of a user after a re-register
  list_changed = 2,    ///< to the members of a list after an edit
  publication = 3,     ///< published under a topic, queued for sessions
};

/// What was posted: everything about a message but its place in an inbox.
/// Immutable once built and shared by every inbox and connection it reaches.
struct message {
  message_id id; ///< {0,0} until the shard accepts it
  message_kind kind = message_kind::post;
  std::string realm = "default";
  std::string sender;               ///< uid of the origin
  timestamp created{};              ///< stamped with the id
  std::optional<timestamp> expires; ///< end of its time to live
  std::string content_type;         ///< "" if the protocol has none
  std::vector<std::pair<std::string, std::string>> headers;
  /// Opaque to the broker: websocket.MQ's "etc" JSON, "" if absent.
  shared_bytes meta;
  shared_bytes payload;
  /// A publication's topic (a core::topic's text), "" else.
  std::string topic;
  /// As it was published; for one recipient, what that one gets.
  std::uint8_t qos = 0;
  bool retain = false;
  /// For one recipient: of its subscriptions that the topic matches.
  std::vector<std::uint32_t> subscription_ids;

  friend bool operator==(const message&, const message&) = default;
};

using message_ptr = std::shared_ptr<const message>;

/// Bytes a message counts for in the bounds of an inbox.
[[nodiscard]] inline std::size_t weight(const message& m) {
  auto bytes = m.payload.size() + m.meta.size() + 64;
  if (m.kind == message_kind::publication) {
    bytes += m.topic.size() + m.content_type.size();
    for (const auto& [name, value] : m.headers)
      bytes += name.size() + value.size();
  }
  return bytes;
}

} // namespace troupe::core
