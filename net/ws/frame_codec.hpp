// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// Frames of RFC 6455, both directions. Pure functions over bytes.
namespace troupe::net::ws {

enum class opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

[[nodiscard]] constexpr bool is_control(opcode op) noexcept {
  return static_cast<unsigned>(op) >= 8;
}

/// Why a connection ends (RFC 6455 7.4.1).
enum class close_code : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005, ///< never sent: the close frame was empty
  invalid_payload = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  internal_error = 1011,
  service_restart = 1012, ///< "connect again"; registered later
};

/// Whether a peer may send this code.
[[nodiscard]] bool is_valid_close_code(std::uint16_t code) noexcept;

using mask_key = std::array<std::byte, 4>;

inline constexpr std::size_t frame_header_bytes_max = 14;
inline constexpr std::size_t control_payload_bytes_max = 125;

struct frame_header {
  opcode op = opcode::binary;
  bool final = true;
  bool compressed = false; ///< RSV1, RFC 7692
  std::optional<mask_key> mask{};
  std::uint64_t payload_bytes = 0;
};

/// What stands at the front of some bytes.
struct header_result {
  enum class status : std::uint8_t { need_more, ready, violation };
  status what = status::need_more;
  frame_header header{};
  std::size_t bytes = 0;        ///< size of the header
  std::string_view violation{}; ///< a sentence, a literal
};

/// Reads a frame header. Violations found here: RSV2/RSV3, unknown opcodes,
/// control frames that are long, fragmented or compressed, lengths not in
/// their shortest form or with the top bit set.
[[nodiscard]] header_result decode_frame_header(core::bytes_view in) noexcept;

/// Writes a header and returns its size. REQUIRES: room for
/// frame_header_bytes_max bytes.
std::size_t write_frame_header(std::byte* to,
                               const frame_header& header) noexcept;

/// Masks or unmasks from `from` to `to` (may be equal). `offset` is the place
/// of the first byte in its frame's payload.
void apply_mask(std::byte* to, core::bytes_view from, mask_key key,
                std::size_t offset = 0) noexcept;

} // namespace troupe::net::ws
