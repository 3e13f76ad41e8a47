// SPDX-License-Identifier: Apache-2.0
#include "schema/state_key.hpp"
#include "tests/support/byte_damage.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <tuple>

namespace {

using namespace troupe;
using schema::key_kind;
using schema::state_key;
using schema::state_key_parts;

std::string three(const std::string& a, const std::string& b, std::uint64_t c) {
  return std::string{
      state_key{key_kind::member}.name(a).name(b).number(c).view()};
}

TEST(StateKey, PartsComeBack) {
  using namespace std::string_literals;
  for (const auto& name : {""s, "a"s, "\0"s, "a\0\0b"s, "\xFF\0"s, "\0\xFF"s}) {
    const auto key = state_key{key_kind::user}
                         .name(name)
                         .byte(200)
                         .time(core::from_millis(-1))
                         .number(1ULL << 63)
                         .last(name);
    state_key_parts parts{key.view()};
    EXPECT_EQ(parts.name(), name);
    EXPECT_EQ(parts.byte(), 200);
    EXPECT_EQ(parts.time(), core::from_millis(-1));
    EXPECT_EQ(parts.number(), 1ULL << 63);
    EXPECT_EQ(parts.last(), name);
  }
}

TEST(StateKey, BytesOrderAsThePartsDo) {
  std::mt19937_64 random{3};
  const auto name = [&] {
    std::string text;
    for (auto i = random() % 4; i != 0; --i)
      text += std::string_view{"\0\x01"
                               "a\xFF",
                               4}[random() % 4];
    return text;
  };
  for (int i = 0; i < 20'000; ++i) {
    const std::tuple one{name(), name(), random() % 3 << random() % 60};
    const std::tuple other{name(), name(), random() % 3 << random() % 60};
    ASSERT_EQ(std::apply(three, one) < std::apply(three, other), one < other);
    ASSERT_EQ(std::apply(three, one) == std::apply(three, other), one == other);
  }
}

TEST(StateKey, TimesOrderOverZero) {
  const auto key = [](std::int64_t ms) {
    return std::string{
        state_key{key_kind::expiry}.time(core::from_millis(ms)).view()};
  };
  EXPECT_LT(key(std::numeric_limits<std::int64_t>::min()), key(-1));
  EXPECT_LT(key(-1), key(0));
  EXPECT_LT(key(0), key(256));
  EXPECT_LT(key(256), key(std::numeric_limits<std::int64_t>::max()));
}

TEST(StateKey, TheLongestNamesFit) {
  const std::string realm(64, 'r');
  const std::string name(200, 'n');
  EXPECT_TRUE(
      state_key{key_kind::member}.name(realm).name(name).last(name).fits());
  EXPECT_FALSE(state_key{key_kind::member}
                   .name(realm)
                   .name(name)
                   .last(name + name)
                   .fits());
}

TEST(StateKey, DamagedKeysComeApartWithoutHarm) {
  std::mt19937_64 random{4};
  const auto key = state_key{key_kind::user}.name("realm").number(7);
  for (int i = 0; i < 1000; ++i) {
    const auto bytes = test::damaged(core::as_bytes(key.view()), random);
    state_key_parts parts{bytes.text()};
    static_cast<void>(parts.name());
    static_cast<void>(parts.number());
    static_cast<void>(parts.byte());
  }
}

TEST(StateKey, BytesAreAsWrittenDown) {
  EXPECT_EQ(test::to_hex(core::as_bytes(state_key{key_kind::user}
                                            .name(std::string_view{"a\0", 2})
                                            .byte(1)
                                            .number(2)
                                            .time(core::from_millis(3))
                                            .last("z")
                                            .view())),
            "406100ff0000"
            "01"
            "0000000000000002"
            "8000000000000003"
            "7a");
}

} // namespace
