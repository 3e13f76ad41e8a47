// SPDX-License-Identifier: Apache-2.0
#include "cluster/snapshot_wire.hpp"
#include "cluster/wire_bytes.hpp"
#include "core/crc32c.hpp"
#include "tests/support/byte_damage.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace troupe::cluster {
namespace {

snapshot_offer sample_offer() {
  snapshot_offer m;
  m.transfer = 0x1122334455667788;
  m.bytes = 1ULL << 40U;
  m.checksum = 0xdeadbeef;
  m.announcement.term = core::term{9};
  m.announcement.meta = {
      core::log_index{100},
      core::term{8},
      core::log_index{7},
      {{core::node_id{1}, core::node_id{2}}, {core::node_id{9}}}};
  return m;
}
snapshot_chunk sample_chunk() {
  return {5, 1ULL << 33U, core::shared_bytes::copy_of("some bytes")};
}
snapshot_progress sample_progress() {
  return {5, snapshot_state::receiving, 10, 20, true};
}

core::shared_bytes sealed_again(core::bytes_view body) {
  byte_writer out{body.size() + 4};
  out.put(body);
  out.put(core::crc32c(out.view()));
  return core::shared_bytes::copy_of(out.view());
}

TEST(SnapshotWire, ComesBackAsItWas) {
  EXPECT_EQ(*decode_snapshot_offer(encode(sample_offer())), sample_offer());
  EXPECT_EQ(*decode_snapshot_chunk(encode(sample_chunk())), sample_chunk());
  EXPECT_EQ(*decode_snapshot_chunk(encode(snapshot_chunk{})), snapshot_chunk{});
  EXPECT_EQ(*decode_snapshot_progress(encode(sample_progress())),
            sample_progress());
}

TEST(SnapshotWire, TellsWhoIsNoMember) {
  const auto frame = encode_not_member(core::log_index{7});
  EXPECT_EQ(*decode_not_member(frame), core::log_index{7});
  EXPECT_FALSE(decode_not_member(encode(sample_progress())));
  EXPECT_FALSE(decode_not_member(frame.slice(0, frame.size() - 1)));
}

TEST(SnapshotWire, TheLargestChunkFitsIntoAFrame) {
  snapshot_chunk m;
  m.bytes =
      core::shared_bytes::copy_of(std::string(snapshot_chunk_bytes_max, 'x'));
  EXPECT_LE(encode(m).size(), snapshot_frame_bytes_max);
  m.bytes = core::shared_bytes::copy_of(
      std::string(snapshot_chunk_bytes_max + 1, 'x'));
  EXPECT_EQ(decode_snapshot_chunk(encode(m)).error().code,
            core::errc::malformed);
}

TEST(SnapshotWire, BytesAreAsWrittenDown) {
  EXPECT_EQ(test::to_hex(encode(sample_progress()).view()).substr(0, 54),
            "01"
            "0500000000000000"
            "01"
            "0a00000000000000"
            "1400000000000000"
            "01");
}

TEST(SnapshotWire, DamageIsToldApart) {
  std::mt19937_64 random{1};
  for (int round = 0; round < 5000; ++round) {
    for (const auto& frame : {encode(sample_offer()), encode(sample_chunk()),
                              encode(sample_progress())}) {
      const auto spoiled = test::damaged(frame.view(), random);
      if (spoiled == frame)
        continue;
      EXPECT_FALSE(decode_snapshot_offer(spoiled));
      EXPECT_FALSE(decode_snapshot_chunk(spoiled));
      EXPECT_FALSE(decode_snapshot_progress(spoiled));
      // The same under a checksum that is right: whatever it says is harmless,
      // and what is accepted is understood completely.
      if (spoiled.size() < 4)
        continue;
      const auto again =
          sealed_again(spoiled.view().subspan(0, spoiled.size() - 4));
      if (const auto m = decode_snapshot_offer(again)) {
        EXPECT_EQ(encode(*m), again);
      }
      if (const auto m = decode_snapshot_progress(again)) {
        EXPECT_EQ(encode(*m), again);
      }
      (void)decode_snapshot_chunk(again);
    }
  }
}

TEST(SnapshotWire, ANewerVersionIsToldApart) {
  std::string body{encode(sample_progress()).text()};
  body.resize(body.size() - 4);
  body[0] = 2;
  EXPECT_EQ(
      decode_snapshot_progress(sealed_again(core::as_bytes(body))).error().code,
      core::errc::newer_format);
}

} // namespace
} // namespace troupe::cluster
