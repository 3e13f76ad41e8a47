// SPDX-License-Identifier: Apache-2.0
#include "net/mq/frame_codec.hpp"

#include "core/assert.hpp"

namespace troupe::net::mq {

namespace {

constexpr unsigned opcode_mask = 0x0f;
constexpr unsigned opcode_close = 1;
constexpr unsigned length_mask = 0x7f;
constexpr unsigned length_16_bits = 126;
constexpr unsigned length_64_bits = 127;

unsigned octet(core::bytes_view in, std::size_t at) noexcept {
  return std::to_integer<unsigned>(in[at]);
}

} // namespace

frame decode_frame(core::bytes_view in,
                   std::size_t payload_bytes_max) noexcept {
  using enum frame::status;
  if (in.size() < 2)
    return {need_more, {}, 0};
  const bool closing = (octet(in, 0) & opcode_mask) == opcode_close;
  if (closing)
    return {close, {}, 2};
  std::size_t header = 2;
  std::size_t length = octet(in, 1) & length_mask;
  if (length == length_16_bits) {
    header = 4;
    if (in.size() < header)
      return {need_more, {}, 0};
    length = octet(in, 2) << 8 | octet(in, 3);
  } else if (length == length_64_bits) {
    header = 10;
    if (in.size() < header)
      return {need_more, {}, 0};
    // Bytes 2..5 are not looked at (A.2).
    length = 0;
    for (std::size_t i = 6; i < header; ++i)
      length = length << 8 | octet(in, i);
  }
  if (length == 0)
    return {empty, {}, header};
  if (length > payload_bytes_max)
    return {too_large, {}, header};
  if (in.size() - header < length)
    return {need_more, {}, header + length};
  return {message, in.subspan(header, length), header + length};
}

std::size_t write_frame_header(std::byte* to,
                               std::size_t payload_bytes) noexcept {
  TROUPE_ASSERT(payload_bytes < std::size_t{1} << 31,
                "a frame's length is a signed 32-bit number");
  to[0] = binary_frame;
  const auto header = frame_header_bytes(payload_bytes);
  if (header == 2) {
    to[1] = static_cast<std::byte>(payload_bytes);
    return header;
  }
  to[1] = static_cast<std::byte>(header == 4 ? length_16_bits : length_64_bits);
  for (std::size_t i = header - 1, rest = payload_bytes; i >= 2; --i) {
    to[i] = static_cast<std::byte>(rest & 0xff);
    rest >>= 8;
  }
  return header;
}

} // namespace troupe::net::mq
