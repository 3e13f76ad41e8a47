// SPDX-License-Identifier: Apache-2.0
#include "storage/byte_order.hpp"
#include "storage/log_format.hpp"
#include "storage/log_recovery.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace troupe::storage {
namespace {

TEST(SectorMark, NumberIsReadBack) {
  for (const batch_sequence sequence : {batch_sequence{1}, batch_sequence{255},
                                        (batch_sequence{1} << 48) - 1}) {
    const auto mark = decode_mark(encode_mark(sequence));
    EXPECT_EQ(mark.state, sector_mark::state::valid);
    EXPECT_EQ(mark.sequence, sequence);
  }
  EXPECT_EQ(decode_mark(0).state, sector_mark::state::blank);
}

TEST(SectorMark, NoFlippedBitOrPairOfBitsMakesAnotherMark) {
  for (const batch_sequence sequence : {1ULL, 2ULL, 4711ULL, 0xFFFF'FFFFULL}) {
    const auto raw = encode_mark(sequence);
    for (unsigned a = 0; a < 64; ++a)
      for (unsigned b = a; b < 64; ++b) {
        const auto flipped = raw ^ (1ULL << a) ^ (a == b ? 0 : (1ULL << b));
        EXPECT_EQ(decode_mark(flipped).state, sector_mark::state::damaged)
            << sequence << " bits " << a << " and " << b;
      }
  }
}

TEST(SegmentHeader, AnyFlippedBitIsNoticed) {
  std::array<std::byte, page_bytes> page{};
  const segment_header header{.cluster = {},
                              .number = 5,
                              .segment_bytes = 1U << 20,
                              .first_sequence = 9};
  encode_segment_header(header, page.data());
  ASSERT_TRUE(decode_segment_header(page.data()));
  EXPECT_EQ(decode_segment_header(page.data())->number, 5U);
  for (std::size_t bit = 0; bit < std::size_t{56} * 8; ++bit) {
    auto damaged = page;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto read = decode_segment_header(damaged.data());
    EXPECT_TRUE(!read || read->format > log_format_version) << bit;
  }
}

TEST(SegmentName, IsReadBack) {
  EXPECT_EQ(segment_name(0x1f), "segment-000000000000001f.log");
  EXPECT_EQ(parse_segment_name("segment-000000000000001f.log"), 0x1fU);
  for (const auto* name :
       {"segment-1f.log", "segment.new", "segment-000000000000001g.log",
        "segment-0000000000000000.log", "segment-000000000000001f.log~"})
    EXPECT_EQ(parse_segment_name(name), std::nullopt) << name;
}

class BatchTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(BatchTest, RecordsOfAnySizeAreReadBack) {
  const std::string payload(GetParam(), 'p');
  batch_encoder encoder{std::size_t{1} << 20};
  encoder.begin(3, 17);
  const log_record record{.kind = record_kind::entry,
                          .entry_kind = 4,
                          .group = core::group_id{5},
                          .index = 6,
                          .term = 7,
                          .payload = core::as_bytes(payload)};
  encoder.add(record);
  encoder.add(record);
  EXPECT_EQ(encoder.record_bytes(), 2 * (record_header_bytes + GetParam()));
  const auto bytes = encoder.finish();
  EXPECT_EQ(bytes.size(), batch_disk_bytes(encoder.record_bytes()));
  EXPECT_EQ(bytes.size() % page_bytes, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % page_bytes, 0U);

  batch_decoder decoder;
  const auto view = decoder.read(bytes, 3, 17);
  ASSERT_EQ(view.state, batch_view::state::complete) << view.what;
  EXPECT_EQ(view.disk_bytes, bytes.size());
  ASSERT_EQ(decoder.records().size(), 2U);
  const auto& read = decoder.records()[1];
  EXPECT_EQ(read.kind, record_kind::entry);
  EXPECT_EQ(read.entry_kind, 4);
  EXPECT_EQ(read.group, core::group_id{5});
  EXPECT_EQ(read.index, 6U);
  EXPECT_EQ(read.term, 7U);
  EXPECT_EQ(core::as_text(read.payload), payload);
}

INSTANTIATE_TEST_SUITE_P(Sizes, BatchTest,
                         ::testing::Values(0, 1, 443, 444, 445, 504, 3971, 3972,
                                           3973, 100'000));

TEST(Batch, LengthsFromDamagedBytesAreBounded) {
  batch_encoder encoder{std::size_t{1} << 16};
  encoder.begin(1, 1);
  encoder.add({.kind = record_kind::entry,
               .group = {},
               .payload = core::as_bytes("data")});
  const auto good = encoder.finish();
  batch_decoder decoder;
  for (std::size_t byte = 0; byte < 100; ++byte)
    for (const unsigned value : {0x00U, 0x7FU, 0xFFU}) {
      std::vector<std::byte> bytes{good.begin(), good.end()};
      bytes[byte] = static_cast<std::byte>(value);
      const auto view = decoder.read(bytes, 1, 1);
      if (bytes[byte] != good[byte] && byte < 64) {
        EXPECT_EQ(view.state, batch_view::state::damaged) << byte;
      }
    }
}

TEST(Batch, AnotherSegmentsOrNumbersBatchIsNotAccepted) {
  batch_encoder encoder{std::size_t{1} << 16};
  encoder.begin(1, 5);
  const auto bytes = encoder.finish();
  batch_decoder decoder;
  EXPECT_EQ(decoder.read(bytes, 1, 6).state, batch_view::state::none);
  EXPECT_EQ(decoder.read(bytes, 2, 5).state, batch_view::state::damaged);
  EXPECT_EQ(decoder.read(bytes, 1, 4).state, batch_view::state::damaged);
}

} // namespace
} // namespace troupe::storage
