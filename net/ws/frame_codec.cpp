// SPDX-License-Identifier: Apache-2.0
#include "net/ws/frame_codec.hpp"

#include <cstring>

namespace troupe::net::ws {

namespace {

constexpr unsigned bit_final = 0x80;
constexpr unsigned bit_rsv1 = 0x40;
constexpr unsigned bits_rsv2_rsv3 = 0x30;
constexpr unsigned bits_opcode = 0x0f;
constexpr unsigned bit_mask = 0x80;
constexpr unsigned bits_length = 0x7f;

unsigned octet(core::bytes_view in, std::size_t at) noexcept {
  return std::to_integer<unsigned>(in[at]);
}

bool is_known(unsigned op) noexcept { return op <= 2 || (op >= 8 && op <= 10); }

header_result violation(std::string_view why) noexcept {
  return {header_result::status::violation, {}, 0, why};
}

/// The length field of 2 or 8 bytes behind the first two.
std::uint64_t read_big_endian(core::bytes_view in, std::size_t bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value = value << 8 | octet(in, 2 + i);
  return value;
}

} // namespace

bool is_valid_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

header_result decode_frame_header(core::bytes_view in) noexcept {
  if (in.size() < 2)
    return {};
  const auto first = octet(in, 0);
  const auto second = octet(in, 1);
  const auto op = first & bits_opcode;
  if ((first & bits_rsv2_rsv3) != 0)
    return violation("reserved bits set");
  if (!is_known(op))
    return violation("unknown opcode");
  header_result result;
  auto& header = result.header;
  header.op = static_cast<opcode>(op);
  header.final = (first & bit_final) != 0;
  header.compressed = (first & bit_rsv1) != 0;
  const auto length = second & bits_length;
  if (is_control(header.op) && (!header.final || header.compressed ||
                                length > control_payload_bytes_max))
    return violation("bad control frame");
  if (header.op == opcode::continuation && header.compressed)
    return violation("reserved bits set");

  const std::size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  const bool masked = (second & bit_mask) != 0;
  result.bytes = 2 + length_bytes + (masked ? 4 : 0);
  if (in.size() < result.bytes) {
    result.bytes = 0;
    return result;
  }
  header.payload_bytes = length;
  if (length_bytes != 0) {
    header.payload_bytes = read_big_endian(in, length_bytes);
    const bool shortest = length_bytes == 2 ? header.payload_bytes > 125
                                            : header.payload_bytes > 0xffff;
    if (!shortest || header.payload_bytes >> 63 != 0)
      return violation("bad length");
  }
  if (masked) {
    header.mask.emplace();
    std::memcpy(header.mask->data(), in.data() + 2 + length_bytes, 4);
  }
  result.what = header_result::status::ready;
  return result;
}

std::size_t write_frame_header(std::byte* to,
                               const frame_header& header) noexcept {
  to[0] = static_cast<std::byte>((header.final ? bit_final : 0) |
                                 (header.compressed ? bit_rsv1 : 0) |
                                 static_cast<unsigned>(header.op));
  const auto length = header.payload_bytes;
  const std::size_t length_bytes = length <= 125 ? 0 : length <= 0xffff ? 2 : 8;
  const unsigned short_length = length_bytes == 0
                                    ? static_cast<unsigned>(length)
                                : length_bytes == 2 ? 126
                                                    : 127;
  to[1] = static_cast<std::byte>((header.mask ? bit_mask : 0) | short_length);
  for (std::size_t i = 0; i < length_bytes; ++i)
    to[2 + i] =
        static_cast<std::byte>(length >> 8 * (length_bytes - 1 - i) & 0xff);
  std::size_t bytes = 2 + length_bytes;
  if (header.mask) {
    std::memcpy(to + bytes, header.mask->data(), 4);
    bytes += 4;
  }
  return bytes;
}

void apply_mask(std::byte* to, core::bytes_view from, mask_key key,
                std::size_t offset) noexcept {
  // The key, turned so that its first byte meets from[0], twice in a word.
  std::byte turned[8];
  for (std::size_t i = 0; i < 8; ++i)
    turned[i] = key[(offset + i) % 4];
  std::uint64_t word_key = 0;
  std::memcpy(&word_key, turned, 8);
  std::size_t i = 0;
  for (; i + 8 <= from.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, from.data() + i, 8);
    word ^= word_key;
    std::memcpy(to + i, &word, 8);
  }
  for (; i < from.size(); ++i)
    to[i] = from[i] ^ turned[i % 8];
}

} // namespace troupe::net::ws
