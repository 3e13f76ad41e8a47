// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

/// websocket.MQ's own framing, a relic of WebSocket hybi draft-04: no
/// handshake, no masking, opcodes of its own (docs/protocols/mq.md, "Frames").
/// Pure functions over bytes; both directions look the same.
namespace troupe::net::mq {

/// First byte of every frame we send: final, opcode 5 (binary).
inline constexpr std::byte binary_frame{0x85};
/// The close frame, in both directions.
inline constexpr std::string_view close_frame{"\x81\x00", 2};
/// The longest frame header.
inline constexpr std::size_t frame_header_bytes_max = 10;

/// What stands at the front of some bytes.
struct frame {
  enum class status : std::uint8_t {
    need_more, ///< `bytes` is how many are needed in all, 0 if not yet known
    message,   ///< a whole message; `bytes` were used
    close,     ///< the peer says goodbye
    empty,     ///< length zero: a protocol error
    too_large, ///< announces more than the limit: a protocol error
  };
  status what = status::need_more;
  core::bytes_view payload{};
  std::size_t bytes = 0;
};

/// Reads the frame at the front of `in`. The final bit, the mask bit and every
/// opcode but 1 (close) are ignored, and so are the upper four bytes of a
/// 64-bit length, into which older senders write garbage. Lengths above
/// `payload_bytes_max` are refused as soon as the header is complete.
[[nodiscard]] frame decode_frame(core::bytes_view in,
                                 std::size_t payload_bytes_max) noexcept;

/// Writes the header of a binary frame and returns its size. REQUIRES: room
/// for frame_header_bytes_max bytes; payload_bytes < 2^31.
std::size_t write_frame_header(std::byte* to,
                               std::size_t payload_bytes) noexcept;

/// The size of that header.
[[nodiscard]] constexpr std::size_t
frame_header_bytes(std::size_t payload_bytes) noexcept {
  return payload_bytes <= 125 ? 2 : payload_bytes <= 0xffff ? 4 : 10;
}

} // namespace troupe::net::mq
