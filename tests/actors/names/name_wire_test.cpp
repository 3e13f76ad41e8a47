// SPDX-License-Identifier: Apache-2.0
#include "actors/names/name_wire.hpp"
#include "tests/support/byte_damage.hpp"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace troupe::actors::names {
namespace {

constexpr core::group_id group{16};

names_claimed sample_claims() {
  return {{{}, 3},
          group,
          {{1, {"default", "a"}, {}},
           {0xFFFF'FFFF'FFFF'FFFFU,
            {"other", std::string(300, 'x')},
            {core::term{4}, 5}}},
          {}};
}

TEST(NameWire, ClaimsComeBack) {
  const auto sent = sample_claims();
  const auto back = decode_names(encode(sent));
  ASSERT_TRUE(back);
  const auto& got = std::get<names_claimed>(*back);
  EXPECT_EQ(got.from, sent.from);
  EXPECT_EQ(got.group, sent.group);
  EXPECT_EQ(got.items, sent.items);
}

TEST(NameWire, FreedNamesComeBack) {
  const names_freed sent{
      {{}, 1}, group, {{7, {"default", ""}}, {8, {"r", "\0b"}}}, {}};
  const auto back = decode_names(encode(sent));
  ASSERT_TRUE(back);
  const auto& got = std::get<names_freed>(*back);
  EXPECT_EQ(got.from, sent.from);
  EXPECT_EQ(got.items, sent.items);
}

TEST(NameWire, WhatIsSaidToDesksComesBack) {
  names_answered answers;
  answers.group = group;
  answers.leader = core::node_id{9};
  answers.items = {{1, core::errc::ok, {core::term{1}, 2}},
                   {2, core::errc::conflict, {}}};
  auto back = decode_names(encode(answers));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<names_answered>(*back).leader, answers.leader);
  EXPECT_EQ(std::get<names_answered>(*back).items, answers.items);

  const names_taken taken{{}, group, {{5, {core::term{6}, 7}}}};
  back = decode_names(encode(taken));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<names_taken>(*back).items, taken.items);

  back = decode_names(encode(names_released{{}, group}));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<names_released>(*back).group, group);
}

TEST(NameWire, NoDamageIsTaken) {
  std::mt19937_64 random{1};
  const auto whole = encode(sample_claims());
  for (int i = 0; i < 2'000; ++i) {
    const auto bad = test::damaged(whole.view(), random);
    EXPECT_TRUE(bad == whole || !decode_names(bad));
  }
  EXPECT_FALSE(decode_names({}));
}

TEST(NameWire, TheDirectoryHasNoNames) {
  EXPECT_FALSE(decode_names(encode(names_released{{}, core::group_id{0}})));
}

} // namespace
} // namespace troupe::actors::names
