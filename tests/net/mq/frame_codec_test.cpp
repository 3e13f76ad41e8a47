// SPDX-License-Identifier: Apache-2.0
#include "net/mq/frame_codec.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::mq {
namespace {

using namespace std::string_literals;
using status = frame::status;

constexpr std::size_t no_limit = std::size_t{1} << 31;

frame decode(std::string_view bytes, std::size_t limit = no_limit) {
  return decode_frame(core::as_bytes(bytes), limit);
}

std::string header_of(std::size_t payload) {
  std::byte bytes[frame_header_bytes_max];
  const auto size = write_frame_header(bytes, payload);
  return std::string{core::as_text({bytes, size})};
}

TEST(MqFrameCodec, HeaderHasTheShortestOfThreeForms) {
  EXPECT_EQ(header_of(1), "\x85\x01");
  EXPECT_EQ(header_of(125), "\x85\x7d");
  EXPECT_EQ(header_of(126), "\x85\x7e\x00\x7e"s);
  EXPECT_EQ(header_of(0xffff), "\x85\x7e\xff\xff");
  EXPECT_EQ(header_of(0x10000), "\x85\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
  for (std::size_t payload : {1U, 125U, 126U, 65535U, 65536U})
    EXPECT_EQ(header_of(payload).size(), frame_header_bytes(payload));
}

TEST(MqFrameCodec, UpperHalfOfALongLengthIsIgnored) {
  const std::string payload(1048634, 'x');
  const auto read =
      decode("\x85\x7f\x00\x10\x00\x3a\x00\x10\x00\x3a"s + payload);
  ASSERT_EQ(read.what, status::message);
  EXPECT_EQ(read.payload.size(), payload.size());
  EXPECT_EQ(read.bytes, payload.size() + 10);
}

TEST(MqFrameCodec, FinalBitMaskBitAndOpcodeAreIgnored) {
  for (const auto first : {'\x85', '\x84', '\x82', '\x05', '\x00', '\xf5'}) {
    const std::string bytes{first, '\x82', 'h', 'i', '!'};
    const auto read = decode(bytes);
    ASSERT_EQ(read.what, status::message) << int{first};
    EXPECT_EQ(core::as_text(read.payload), "hi");
    EXPECT_EQ(read.bytes, 4U);
  }
}

TEST(MqFrameCodec, OpcodeOneIsClose) {
  EXPECT_EQ(decode("\x81\x00"s).what, status::close);
  EXPECT_EQ(decode("\x01\x00"s).what, status::close);
  EXPECT_EQ(decode("\x81"s).what, status::need_more);
}

TEST(MqFrameCodec, EmptyFrameIsToldApart) {
  EXPECT_EQ(decode("\x85\x00"s).what, status::empty);
  EXPECT_EQ(decode("\x85\x80"s).what, status::empty);
  EXPECT_EQ(decode("\x85\x7e\x00\x00"s).what, status::empty);
}

TEST(MqFrameCodec, EveryPrefixAsksForMore) {
  const auto whole = header_of(70000) + std::string(70000, 'y');
  for (std::size_t size = 0; size < whole.size(); size += 1 + size / 3) {
    const auto read = decode(std::string_view{whole}.substr(0, size));
    ASSERT_EQ(read.what, status::need_more) << size;
    EXPECT_EQ(read.bytes, size < 10 ? 0 : whole.size());
  }
  EXPECT_EQ(decode(whole).what, status::message);
}

TEST(MqFrameCodec, RefusesByTheHeaderAlone) {
  EXPECT_EQ(decode("\x85\x7e\x10\x01"s, 4096).what, status::too_large);
  EXPECT_EQ(decode("\x85\x7e\x10\x00"s, 4096).what, status::need_more);
  EXPECT_EQ(decode("\x85\x7f\x00\x00\x00\x00\xff\xff\xff\xff"s).what,
            status::too_large);
}

} // namespace
} // namespace troupe::net::mq
