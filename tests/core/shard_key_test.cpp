// SPDX-License-Identifier: Apache-2.0
#include "core/shard_key.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace troupe::core;

TEST(ShardKey, IsTheSameForEver) {
  // Where state lives on disk: these numbers must never change.
  EXPECT_EQ(stable_hash({"default", owner_kind::user, "anna"}),
            0xD3A67A7449667058ULL);
  EXPECT_EQ(stable_hash({"default", owner_kind::session, "anna"}),
            0x34411A6F164BCDA0ULL);
  EXPECT_EQ(stable_hash({"", owner_kind::user, ""}), 0xDB01C3104E99566DULL);
}

TEST(ShardKey, TellsApartRealmKindAndName) {
  const owner anna{"a", owner_kind::user, "bc"};
  EXPECT_NE(stable_hash(anna), stable_hash({"ab", owner_kind::user, "c"}));
  EXPECT_NE(stable_hash(anna), stable_hash({"a", owner_kind::session, "bc"}));
}

TEST(ShardKey, SpreadsNamesThatDifferLittle) {
  constexpr std::uint16_t shards = 16;
  constexpr int names = 16'000;
  std::vector<int> counts(shards + 1U);
  for (int i = 0; i < names; ++i)
    ++counts.at(
        shard_of({"default", {}, "user" + std::to_string(i)}, shards).value());
  EXPECT_EQ(counts[0], 0) << "that is the directory";
  for (int g = 1; g <= shards; ++g) {
    EXPECT_GT(counts[static_cast<std::size_t>(g)], 800) << g;
    EXPECT_LT(counts[static_cast<std::size_t>(g)], 1200) << g;
  }
}

TEST(ShardKey, OneShardHasEverything) {
  EXPECT_EQ(shard_of({"default", {}, "anna"}, 1), group_id{1});
}

} // namespace
