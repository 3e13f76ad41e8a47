// SPDX-License-Identifier: Apache-2.0
#include "net/ws/frame_codec.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::ws {
namespace {

using namespace std::string_literals;
using status = header_result::status;

std::string written(const frame_header& header) {
  std::byte bytes[frame_header_bytes_max];
  const auto size = write_frame_header(bytes, header);
  return std::string{core::as_text({bytes, size})};
}

header_result decode(std::string_view bytes) {
  return decode_frame_header(core::as_bytes(bytes));
}

TEST(WsFrameCodec, HeadersComeThroughWhole) {
  const mask_key key{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21},
                     std::byte{0x3d}};
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{125}, std::uint64_t{126},
        std::uint64_t{0xffff}, std::uint64_t{0x10000},
        std::uint64_t{1} << 62}) {
    for (const bool masked : {false, true}) {
      frame_header header{opcode::text, false, true, {}, size};
      if (masked)
        header.mask = key;
      const auto bytes = written(header);
      const auto read = decode(bytes);
      ASSERT_EQ(read.what, status::ready);
      EXPECT_EQ(read.bytes, bytes.size());
      EXPECT_EQ(read.header.op, header.op);
      EXPECT_EQ(read.header.final, header.final);
      EXPECT_EQ(read.header.compressed, header.compressed);
      EXPECT_EQ(read.header.mask, header.mask);
      EXPECT_EQ(read.header.payload_bytes, size);
      for (std::size_t cut = 0; cut < bytes.size(); ++cut)
        EXPECT_EQ(decode(bytes.substr(0, cut)).what, status::need_more);
    }
  }
}

TEST(WsFrameCodec, BytesOfTheStandardsExample) {
  EXPECT_EQ(written({opcode::text, true, false, {}, 5}), "\x81\x05");
  const auto read = decode("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  ASSERT_EQ(read.what, status::ready);
  ASSERT_TRUE(read.header.mask);
  const auto masked = core::as_bytes("\x7f\x9f\x4d\x51\x58");
  std::string clear(5, ' ');
  apply_mask(reinterpret_cast<std::byte*>(clear.data()), masked,
             *read.header.mask);
  EXPECT_EQ(clear, "Hello");
}

TEST(WsFrameCodec, ViolationsAreFoundInTheHeader) {
  for (const auto& bytes :
       {"\xa2\x00"s, "\x92\x00"s,              // RSV2, RSV3
        "\x83\x00"s, "\x8b\x00"s, "\x8f\x00"s, // unknown opcodes
        "\x09\x00"s, "\x89\x7e\x00\x7e"s,      // fragmented, long ping
        "\xc9\x00"s, "\xc0\x00"s,              // RSV1 where it may not be
        "\x82\x7e\x00\x7d"s,                   // length not shortest
        "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"s,
        "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"s}) {
    const auto read = decode(bytes);
    EXPECT_EQ(read.what, status::violation);
    EXPECT_FALSE(read.violation.empty());
  }
}

TEST(WsFrameCodec, MaskWorksAtEveryOffsetAndLength) {
  const mask_key key{std::byte{1}, std::byte{20}, std::byte{0xff},
                     std::byte{77}};
  std::string clear;
  for (int i = 0; i < 67; ++i)
    clear += static_cast<char>(i * 7);
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t size = 0; size + from <= clear.size(); ++size) {
      std::string masked(size, ' ');
      apply_mask(reinterpret_cast<std::byte*>(masked.data()),
                 core::as_bytes(clear).subspan(from, size), key, from);
      for (std::size_t i = 0; i < size; ++i)
        ASSERT_EQ(static_cast<std::byte>(masked[i]),
                  static_cast<std::byte>(clear[from + i]) ^
                      key[(from + i) % 4]);
    }
  }
}

TEST(WsFrameCodec, CloseCodesOfTheStandard) {
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011,
                         3000, 3999, 4000, 4999})
    EXPECT_TRUE(is_valid_close_code(static_cast<std::uint16_t>(code))) << code;
  for (const int code :
       {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535})
    EXPECT_FALSE(is_valid_close_code(static_cast<std::uint16_t>(code))) << code;
}

} // namespace
} // namespace troupe::net::ws
