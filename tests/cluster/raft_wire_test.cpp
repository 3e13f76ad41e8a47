// SPDX-License-Identifier: Apache-2.0
#include "cluster/raft_wire.hpp"
#include "core/crc32c.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace troupe::cluster {
namespace {

configuration sample_members() {
  return {{core::node_id{1}, core::node_id{2}}, {core::node_id{7}}};
}

std::vector<message> samples() {
  append_request append;
  append.term = core::term{7};
  append.previous = core::log_index{40};
  append.previous_term = core::term{6};
  append.commit = core::log_index{39};
  append.round = 12;
  append.entries = {
      {core::term{6}, entry_kind::command, core::shared_bytes::copy_of("put")},
      {core::term{7}, entry_kind::no_op, {}},
      {core::term{7}, entry_kind::configuration, encode(sample_members())}};
  return {vote_request{core::term{3}, core::log_index{9}, core::term{2}, true,
                       false},
          vote_answer{core::term{3}, true, false},
          append,
          append_answer{core::term{3}, false, core::log_index{5},
                        core::log_index{8}, core::term{2}, 4},
          install_snapshot{core::term{3},
                           {core::log_index{90}, core::term{2},
                            core::log_index{17}, sample_members()}},
          timeout_now{core::term{3}}};
}

core::shared_bytes with_checksum(std::string body) {
  const auto sum = core::crc32c(core::as_bytes(body));
  body.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return core::shared_bytes::copy_of(body);
}

std::string body_of(const message& m) {
  const auto frame = encode(m);
  return std::string{frame.text().substr(0, frame.size() - 4)};
}

TEST(RaftWire, EveryMessageSurvivesTheRoundTrip) {
  for (const auto& m : samples()) {
    const auto back = decode_message(encode(m));
    ASSERT_TRUE(back.has_value()) << "kind " << m.index() + 1;
    EXPECT_EQ(*back, m);
  }
}

TEST(RaftWire, EntriesShareTheFrame) {
  const auto frame = encode(samples()[2]);
  auto back = decode_message(frame);
  ASSERT_TRUE(back.has_value());
  const auto& data = std::get<append_request>(*back).entries[0].data;
  EXPECT_GE(data.data(), frame.data());
  EXPECT_LT(data.data(), frame.data() + frame.size());
}

TEST(RaftWire, AnyFlippedBitIsNoticed) {
  for (const auto& m : samples()) {
    const std::string frame{encode(m).text()};
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
      auto damaged = frame;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_EQ(
          decode_message(core::shared_bytes::copy_of(damaged)).error().code,
          core::errc::corrupt);
    }
  }
}

TEST(RaftWire, NoPrefixIsAMessage) {
  for (const auto& m : samples()) {
    const auto body = body_of(m);
    for (std::size_t n = 0; n < body.size(); ++n)
      EXPECT_FALSE(decode_message(with_checksum(body.substr(0, n))))
          << "kind " << m.index() + 1 << " cut to " << n;
  }
}

TEST(RaftWire, BytesBehindTheMessageAreRefused) {
  for (const auto& m : samples())
    EXPECT_FALSE(decode_message(with_checksum(body_of(m) + '\0')));
}

TEST(RaftWire, ANewerVersionIsToldApart) {
  auto body = body_of(samples()[5]);
  body[0] = 2;
  EXPECT_EQ(decode_message(with_checksum(body)).error().code,
            core::errc::newer_format);
}

TEST(RaftWire, ACountBeyondTheFrameReservesNothing) {
  append_request empty;
  auto body = body_of(empty);
  std::memset(body.data() + body.size() - 4, 0xff, 4);
  EXPECT_EQ(decode_message(with_checksum(body)).error().code,
            core::errc::malformed);
}

TEST(RaftWire, ATermThatLeavesNoRoomToCampaignIsRefused) {
  EXPECT_FALSE(decode_message(encode(timeout_now{core::term{~0ULL}})));
}

// The checksum is right, the contents are not: decoding must end, and what it
// accepts must encode to the same bytes again.
TEST(RaftWire, DamageUnderAValidChecksumIsHarmless) {
  std::mt19937_64 random{1};
  for (int round = 0; round < 20'000; ++round) {
    const auto all = samples();
    auto body = body_of(all[random() % all.size()]);
    for (auto i = 1 + random() % 3; i > 0; --i)
      body[random() % body.size()] = static_cast<char>(random());
    if (random() % 4 == 0)
      body.resize(random() % (body.size() + 1));
    const auto frame = with_checksum(body);
    if (const auto m = decode_message(frame)) {
      EXPECT_EQ(encode(*m).text(), frame.text());
    }
  }
}

} // namespace
} // namespace troupe::cluster
