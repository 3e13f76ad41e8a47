// SPDX-License-Identifier: Apache-2.0
#include "actors/keys/key_read_wire.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::actors::keys {
namespace {

remote_question sample_question() {
  remote_question what;
  what.number = 0xFFFF'FFFF'FFFF'FFFFU;
  what.loop = 3;
  what.group = core::group_id{16};
  what.realm = "other";
  what.filter = *core::topic_filter::parse("a/+/#");
  what.after = "a/b";
  what.limits = {1, 2, 3};
  return what;
}

remote_answer sample_answer() {
  remote_answer what;
  what.number = 7;
  what.failure = core::errc::not_leader;
  what.leader = core::node_id{3};
  core::found_key key;
  key.topic = "a/b";
  key.record.source = core::log_index{1ULL << 60U};
  key.record.changed = core::from_millis(-1);
  key.record.expires = core::from_millis(5);
  key.record.weight = 6;
  key.command = core::shared_bytes::copy_of(std::string(100, 'x'));
  what.page.keys = {key, {"c", {}, {}}};
  what.page.next = "c";
  return what;
}

TEST(KeyReadWire, QuestionsComeBack) {
  for (const auto& what : {sample_question(), [] {
                             auto plain = remote_question{};
                             plain.group = core::group_id{1};
                             plain.realm = "default";
                             return plain;
                           }()}) {
    const auto bytes = encode(what);
    const auto back = decode_question(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->number, what.number);
    EXPECT_EQ(back->loop, what.loop);
    EXPECT_EQ(back->group, what.group);
    EXPECT_EQ(back->filter, what.filter);
    EXPECT_EQ(back->after, what.after);
    EXPECT_EQ(back->limits.looked_at_max, what.limits.looked_at_max);
    EXPECT_EQ(encode(*back), bytes);
  }
}

TEST(KeyReadWire, AnswersComeBack) {
  const auto what = sample_answer();
  const auto bytes = encode(what);
  const auto back = decode_answer(bytes);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->page.keys.size(), 2U);
  EXPECT_EQ(back->page.keys[0].record, what.page.keys[0].record);
  EXPECT_EQ(back->page.keys[0].command, what.page.keys[0].command);
  EXPECT_EQ(back->page.next, what.page.next);
  EXPECT_EQ(back->leader, what.leader);
  EXPECT_EQ(encode(*back), bytes);
}

TEST(KeyReadWire, OneIsNotTakenForTheOther) {
  EXPECT_FALSE(decode_answer(encode(sample_question())));
  EXPECT_FALSE(decode_question(encode(sample_answer())));
}

TEST(KeyReadWire, ACutOrDamagedFrameIsRefused) {
  const auto bytes = encode(sample_answer());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_answer(bytes.slice(0, size)));
  auto text = std::string{bytes.text()};
  for (auto& each : text) {
    each = static_cast<char>(each ^ 1);
    EXPECT_FALSE(decode_answer(core::shared_bytes::copy_of(text)));
    each = static_cast<char>(each ^ 1);
  }
}

} // namespace
} // namespace troupe::actors::keys
