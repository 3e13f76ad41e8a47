// SPDX-License-Identifier: Apache-2.0
#include "schema/record_wire.hpp"
#include "tests/support/byte_damage.hpp"
#include "tests/support/sample_records.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace troupe;
using core::errc;
using core::shared_bytes;
using test::each_sample;
using test::sample_head;

TEST(RecordWire, EveryRecordComesBack) {
  each_sample([](const auto& sample) {
    auto decoded = std::decay_t<decltype(sample)>{};
    EXPECT_EQ(
        schema::decode_record(schema::encode_record(sample).view(), decoded),
        errc::ok);
    EXPECT_EQ(decoded, sample);
  });
}

TEST(RecordWire, EmptyRecordsComeBack) {
  each_sample([](const auto& sample) {
    const auto empty = std::decay_t<decltype(sample)>{};
    auto decoded = std::decay_t<decltype(sample)>{};
    EXPECT_EQ(
        schema::decode_record(schema::encode_record(empty).view(), decoded),
        errc::ok);
    EXPECT_EQ(decoded, empty);
  });
}

TEST(RecordWire, DecodesAtAnyAddress) {
  each_sample([](const auto& sample) {
    const std::string bytes{schema::encode_record(sample).text()};
    for (std::size_t shift = 1; shift < 8; ++shift) {
      const auto shifted = std::string(shift, '-') + bytes;
      auto decoded = std::decay_t<decltype(sample)>{};
      ASSERT_EQ(schema::decode_record(core::as_bytes(shifted).subspan(shift),
                                      decoded),
                errc::ok);
      ASSERT_EQ(decoded, sample);
    }
  });
}

TEST(RecordWire, RefusesEveryTruncationAndWhatFollowsTheEnd) {
  each_sample([](const auto& sample) {
    const auto bytes = schema::encode_record(sample);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      auto decoded = std::decay_t<decltype(sample)>{};
      ASSERT_EQ(schema::decode_record(bytes.view().first(size), decoded),
                errc::corrupt);
    }
    auto decoded = std::decay_t<decltype(sample)>{};
    EXPECT_EQ(schema::decode_record(
                  core::as_bytes(std::string{bytes.text()} + "x"), decoded),
              errc::corrupt);
  });
}

TEST(RecordWire, RefusesNewerFormatsAndOtherKinds) {
  each_sample([](const auto& sample) {
    std::string bytes{schema::encode_record(sample).text()};
    auto decoded = std::decay_t<decltype(sample)>{};
    bytes[0] = 2;
    EXPECT_EQ(schema::decode_record(core::as_bytes(bytes), decoded),
              errc::newer_format);
    bytes[0] = 1;
    bytes[1] = 77;
    EXPECT_EQ(schema::decode_record(core::as_bytes(bytes), decoded),
              errc::corrupt);
  });
}

TEST(RecordWire, RefusesStatesOfNewerVersions) {
  core::list_member member;
  member.state = static_cast<core::membership>(3);
  core::list_member decoded;
  EXPECT_EQ(
      schema::decode_record(schema::encode_record(member).view(), decoded),
      errc::newer_format);
}

TEST(RecordWire, SurvivesDamage) {
  std::mt19937_64 random{13};
  for (int i = 0; i < 1000; ++i)
    each_sample([&](const auto& sample) {
      const auto bytes =
          test::damaged(schema::encode_record(sample).view(), random);
      auto decoded = std::decay_t<decltype(sample)>{};
      if (schema::decode_record(bytes.view(), decoded) != errc::ok)
        return;
      auto again = std::decay_t<decltype(sample)>{};
      ASSERT_EQ(
          schema::decode_record(schema::encode_record(decoded).view(), again),
          errc::ok);
      ASSERT_EQ(again, decoded);
    });
}

/// Any change of a layout shows up here, and means a new format number.
TEST(RecordWire, BytesAreAsWrittenDown) {
  std::vector<std::string> bytes;
  each_sample([&](const auto& sample) {
    bytes.push_back(test::to_hex(schema::encode_record(sample).view()));
  });
  const std::vector<std::string> golden{
      "01010000b0000000000000001500000000000000070001000100000000000000"
      "0200000000000000030000000000000004000000000000000500000000000000"
      "0600000000000000070000000000000001000000470000000800000003000100"
      "0000000000000000080000000000000009000000000000000000000000000000"
      "63000000000000000a00000000000000f5ffffffffffffff0100000017000000"
      "040000000200000000000000000000000c00000000000000",
      "0102000030000000000000000500000000000000040000000100000000000000"
      "0200fcff0500000003000000000000000400000000000000",
      "0103000040000000000000000700000000000000000001000000000001000200"
      "0100000000000000050000002a00000005000000220000006f74686572000000"
      "6e616d6500000000",
      "0104000038000000000000000600000000000000020001000100000000000000"
      "0300000000000000010000001500000002000000000000000000000000000080",
      "0105000038000000000000000600000000000000030001000100000000000000"
      "02000000000000000300000000000000010000001a0000006b65790000000000",
      "0106000050000000000000000900000000000000000001000000000007000000"
      "0100000000000000020000000000000001000000000000000300000000000000"
      "040000000000000005000000000000000600000000000000",
      "0107000018000000000000000200000000000000010000000000000000000080",
      "0108000090000000000000001100000000000000010002000100000000000000"
      "0500000037000000250000001600000008000000020001000000000000000000"
      "02000000000000000d000000120000000100ffff000000000300000000000000"
      "05000000120000006e300000000000006e310000000000000500000012000000"
      "050000001a000000616c0000000000006963650000000000",
      "010900002000000000000000030000000000000000000100010000002a000000"
      "616c696365000000",
      "010a000020000000000000000300000000000000020000000100000000000000"
      "0200000000000000",
      "010b000030000000000000000500000000000000020001000200000000000000"
      "0100000000000000010000002a000000616c696173000000",
      "010c000030000000000000000500000000000000040000000100000000000000"
      "020000000000000003000000000000000400000000000000",
      "010d000000000000",
      "010e000058000000000000000a00000000000000030003000200000000000000"
      "03000000000000000300000000000000090000001a0000000900000032000000"
      "090000002a0000006f6e650000000000686f73743a310000746f6b656e000000",
      "010f000020000000000000000300000000000000000001000100000014000000"
      "0100000007000000",
      "0110000018000000000000000200000000000000010000000900000002000000",
      "01110000a8000000000000001400000000000000010004000700000000000000"
      "0d0000005a00000011000000160000001d000000170000002900000016000000"
      "246172676f6e326964247800000000000500000032000000050000000a000000"
      "656469746f720000780000000000000004000000010001000100000000000000"
      "0100000032000000612f25752f230000050000001a000000050000001a000000"
      "69643100000000006964320000000000",
      "0112000050000000000000000900000000000000000001000100000027000000"
      "08000000010001000200000000000000090000000a0000000600000000000000"
      "050000001a0000002300000000000000612f2b0000000000",
      "01130000b0000000000000001500000000000000030006000100000000000000"
      "01000000000000000200000000000000150000002a000000150000002a000000"
      "15000000220000001500000062000000190000000e0000001d00000017000000"
      "6f74686572000000616c6963650000006861736800000000666f722074686520"
      "6c616d70000000000100000032000000656469746f7200000400000001000100"
      "0400000000000000010000000a0000007000000000000000",
      "0114000038000000000000000600000000000000030001000100000000000000"
      "010000000000000002000000000000000100000032000000666c6f6f64730000",
      "0115000020000000000000000300000000000000020000000100000000000000"
      "0200000000000000",
  };
  EXPECT_EQ(bytes, golden);
}

} // namespace
