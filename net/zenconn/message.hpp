// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// ZenConn: what clients ask and what they are told
/// (docs/protocols/zenconn.md).
namespace troupe::net::zenconn {

/// How messages are spelled on one connection.
enum class spelling : std::uint8_t {
  json,
  compact, ///< JSON with short keys and nothing that goes without saying
  binary,  ///< Cap'n Proto, packed
};

/// The channel of everybody.
inline constexpr std::string_view everybody = "*";
inline constexpr std::string_view private_prefix = "private.";

/// What a client asks.
struct request {
  enum class kind : std::uint8_t { subscribe, unsubscribe, broadcast };
  kind what = kind::subscribe;
  std::string channel;
  /// Of subscribe: lets the session into a private channel.
  std::string token{};
  /// Of broadcast: a JSON text, as it came; "" for none.
  std::string data{};

  friend bool operator==(const request&, const request&) = default;
};

/// What a client is told.
struct answer {
  enum class kind : std::uint8_t {
    accepted, ///< the first one; `from` is the session
    subscribed,
    unsubscribed,
    unauthorized,
    received, ///< its broadcast, by `count` others
    event,    ///< somebody's broadcast
    error,    ///< its request is refused: `errors`
  };
  kind what = kind::accepted;
  std::string channel{};
  std::string from{}; ///< a session's id, or another protocol's sender; or ""
  std::string data{}; ///< of event: a JSON text
  std::uint64_t count = 0;
  std::uint32_t missing = 0; ///< nodes that did not say whom they reached
  std::vector<std::string> errors{};

  friend bool operator==(const answer&, const answer&) = default;
};

/// Bytes that are no request: echoed, or ignored.
struct stranger {
  friend bool operator==(const stranger&, const stranger&) = default;
};
using incoming = std::variant<request, stranger>;

} // namespace troupe::net::zenconn
