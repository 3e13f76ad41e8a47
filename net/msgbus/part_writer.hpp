// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::net::msgbus {

/// Between parts; fixed, because clients of old look for it.
inline constexpr std::string_view boundary = "00MsgBus00";

/// How messages are written to a subscriber.
enum class framing : std::uint8_t {
  parts_chunked,  ///< multipart, a chunk a message: HTTP/1.1
  parts_plain,    ///< multipart to the end of the connection: HTTP/1.0
  events_chunked, ///< text/event-stream, a chunk an event
  events_plain,
  events_json_chunked, ///< the same with a JSON object as data
  events_json_plain,
};
inline constexpr std::size_t framing_count = 6;

[[nodiscard]] constexpr bool is_chunked(framing how) noexcept {
  return how == framing::parts_chunked || how == framing::events_chunked ||
         how == framing::events_json_chunked;
}
[[nodiscard]] constexpr bool is_parts(framing how) noexcept {
  return how == framing::parts_chunked || how == framing::parts_plain;
}

/// One message, as it is written. Views into a publication.
struct part {
  std::string_view sender; ///< "": none
  /// The channel, for those who listen to more than one; null data: not said.
  std::string_view location{};
  bool has_location = false;
  std::string_view type; ///< "": none
  std::string_view id{}; ///< of an event; "": none
  core::bytes_view body;
};

/// The bytes of one message. A CR or LF in a field is left out: what other
/// doors let into one must not make a line here.
[[nodiscard]] core::shared_bytes encode(const part& message, framing how);

/// What is sent at once when somebody subscribes: the first boundary.
[[nodiscard]] std::string opening(framing how);

/// Says that the node is still there; for events only.
[[nodiscard]] std::string heart_beat(framing how);

/// Without CR and LF.
[[nodiscard]] std::string one_line(std::string_view text);

/// "d\r\n" and so on: the line before a chunk of so many bytes.
[[nodiscard]] std::string chunk_head(std::size_t bytes);

} // namespace troupe::net::msgbus
