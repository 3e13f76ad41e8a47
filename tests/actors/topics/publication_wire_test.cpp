// SPDX-License-Identifier: Apache-2.0
#include "actors/topics/publication_wire.hpp"
#include "tests/support/byte_damage.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace troupe::actors::topics {
namespace {

using core::errc;
using core::shared_bytes;

core::publication full() {
  core::publication p;
  p.realm = "home";
  p.topic = *core::topic::parse("a/%2B/c");
  p.publisher = 0xFFFF'FFFF'FFFF'FFFFU;
  p.number = 0x0102'0304'0506'0708U;
  p.sender = "anna";
  p.content_type = "text/plain";
  p.headers = {{"k", "v"}, {"", std::string(300, 'x')}, {"k", "again"}};
  p.payload = shared_bytes::copy_of("hello");
  return p;
}

TEST(PublicationWire, EveryPublicationComesBack) {
  for (auto p : {core::publication{}, full()}) {
    const auto back = decode_publication(encode(p), {});
    ASSERT_TRUE(back);
    EXPECT_EQ(back->what, p);
  }
}

TEST(PublicationWire, SaysWhoHasTheTurn) {
  const std::vector<share_turn> turns{{"g", "a/+/c", 7},
                                      {"h", "#", 0xFFFF'FFFFU}};
  const auto back = decode_publication(encode(full(), false, turns), {});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->what, full());
  EXPECT_FALSE(back->for_all);
  EXPECT_EQ(back->turns, turns);
  const auto plain = decode_publication(encode(full()), {});
  EXPECT_TRUE(plain->for_all);
  EXPECT_TRUE(plain->turns.empty());
}

TEST(PublicationWire, ALargePayloadIsNotCopied) {
  auto p = full();
  p.payload = shared_bytes::copy_of(std::string(10'000, 'y'));
  const auto frame = encode(p);
  const auto back = decode_publication(frame, {});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->what, p);
  EXPECT_GE(back->what.payload.data(), frame.data());
  EXPECT_LT(back->what.payload.data(), frame.data() + frame.size());
}

TEST(PublicationWire, RefusesWhatIsDamaged) {
  const auto frame = encode(full());
  for (std::size_t i = 0; i < frame.size(); ++i)
    EXPECT_FALSE(decode_publication(frame.slice(0, i), {}));
  std::mt19937_64 random{1};
  for (int i = 0; i < 2'000; ++i) {
    const auto spoiled = test::damaged(frame.view(), random);
    if (spoiled == frame)
      continue;
    const auto back = decode_publication(spoiled, {});
    ASSERT_FALSE(back);
  }
}

TEST(PublicationWire, KeepsToTheReadersBounds) {
  core::publication_limits limits;
  limits.payload_bytes_max = 4;
  EXPECT_EQ(decode_publication(encode(full()), limits).error().code,
            errc::too_large);
  limits = {};
  limits.headers_max = 2;
  EXPECT_EQ(decode_publication(encode(full()), limits).error().code,
            errc::too_many);
  limits = {};
  limits.head_bytes_max = 100;
  EXPECT_EQ(decode_publication(encode(full()), limits).error().code,
            errc::too_large);
}

} // namespace
} // namespace troupe::actors::topics
