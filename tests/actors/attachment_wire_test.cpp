// SPDX-License-Identifier: Apache-2.0
#include "actors/attachment_wire.hpp"
#include "core/crc32c.hpp"
#include "tests/support/byte_damage.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace troupe::actors {
namespace {

namespace words = attachment_words;

core::message sample_message() {
  core::message m;
  m.id = {-5, 6};
  m.kind = core::message_kind::list_changed;
  m.realm = "other";
  m.sender = "anna";
  m.created = core::from_millis(7);
  m.expires = core::from_millis(-8);
  m.content_type = "text/plain";
  m.headers = {{"key", "value"}, {"", ""}};
  m.meta = core::shared_bytes::copy_of("[1]");
  m.payload = core::shared_bytes::copy_of(std::string(1000, 'x'));
  return m;
}

std::vector<words::any> samples() {
  words::attach full;
  full.reply_key = 1;
  full.session = 2;
  full.inbox = {"other", core::owner_kind::session, "anna"};
  full.device = core::device_offset{99};
  full.inherit = core::device_offset{0};
  full.window = 1000;
  full.resume_from = core::inbox_position{0};
  full.returns =
      returning_session{core::inbox_position{3}, core::inbox_position{4}};
  words::attached answer;
  answer.failure = {core::errc::not_leader, "why"};
  answer.leader = core::node_id{3};
  answer.resume = core::resume_outcome::gap;
  answer.acknowledged = core::inbox_position{4};
  answer.devices = 5;
  words::deliveries batch;
  batch.items.push_back({core::inbox_position{1ULL << 63U},
                         std::make_shared<core::message>(sample_message())});
  batch.items.push_back(
      {core::inbox_position{2}, std::make_shared<core::message>()});
  return {full,
          words::attach{},
          words::detach{},
          words::acknowledge{core::inbox_position{7}},
          words::fence{8},
          answer,
          words::attached{},
          batch,
          words::deliveries{},
          words::devices{9},
          words::fence_passed{10},
          words::stop{{core::errc::user_unknown, "anna"}},
          words::released{}};
}

core::shared_bytes with_checksum(const core::shared_bytes& frame) {
  std::string bytes{frame.text()};
  const auto sum =
      core::crc32c(core::as_bytes(bytes).first(bytes.size() - sizeof(0U)));
  std::memcpy(bytes.data() + bytes.size() - sizeof sum, &sum, sizeof sum);
  return core::shared_bytes::copy_of(bytes);
}

TEST(AttachmentWire, ComesBackAsItWas) {
  for (const auto& what : samples()) {
    const auto frame = encode(77, what);
    const auto back = decode_attachment(frame);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->attachment, 77U);
    EXPECT_TRUE(back->what == what);
    EXPECT_EQ(attachment_of(frame.view()), 77U);
  }
}

TEST(AttachmentWire, ALargePayloadIsNotCopiedAndASmallOneKeepsNothing) {
  words::deliveries large;
  large.items.push_back({core::inbox_position{1},
                         std::make_shared<core::message>(sample_message())});
  auto frame = encode(1, large);
  auto back = decode_attachment(frame);
  auto* batch = std::get_if<words::deliveries>(&back->what);
  EXPECT_EQ(batch->items[0].message->payload.owner_size(), frame.size());
  EXPECT_EQ(batch->items[0].message->meta.owner_size(), 3U);
  large.items.push_back(large.items[0]);
  large.items.push_back(large.items[0]);
  frame = encode(1, large);
  back = decode_attachment(frame);
  batch = std::get_if<words::deliveries>(&back->what);
  EXPECT_EQ(batch->items[0].message->payload.owner_size(), 1000U);
}

TEST(AttachmentWire, NewerVersionsAndNobodyAreRefused) {
  auto newer = std::string{encode(1, words::detach{}).text()};
  newer[0] = 3;
  EXPECT_EQ(decode_attachment(with_checksum(core::shared_bytes::copy_of(newer)))
                .error()
                .code,
            core::errc::newer_format);
  EXPECT_EQ(decode_attachment(encode(0, words::detach{})).error().code,
            core::errc::malformed);
  EXPECT_FALSE(attachment_of({}));
}

TEST(AttachmentWire, DamageIsToldApartAndHarmless) {
  std::mt19937_64 random{1};
  for (const auto& what : samples()) {
    const auto frame = encode(77, what);
    for (int round = 0; round < 2000; ++round) {
      const auto spoiled = test::damaged(frame.view(), random);
      if (!(spoiled == frame)) {
        EXPECT_FALSE(decode_attachment(spoiled));
      }
      if (spoiled.size() < 14)
        continue;
      // Under a checksum that is right.
      const auto again = with_checksum(spoiled);
      if (const auto m = decode_attachment(again)) {
        EXPECT_EQ(encode(m->attachment, m->what), again);
      }
    }
  }
}

} // namespace
} // namespace troupe::actors
