// SPDX-License-Identifier: Apache-2.0
#include "storage/overlay.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace troupe::storage {
namespace {

using core::shared_bytes;

TEST(Overlay, LastChangeOfAKeyCounts) {
  overlay changes;
  EXPECT_EQ(changes.find("k"), nullptr);
  changes.put("k", shared_bytes::copy_of("1"));
  changes.put("k", shared_bytes::copy_of("2"));
  EXPECT_EQ(changes.find("k")->value.text(), "2");
  changes.erase("k");
  EXPECT_TRUE(changes.find("k")->erased);
  EXPECT_TRUE(changes.find("k")->value.empty());
  EXPECT_EQ(changes.size(), 1U);
}

TEST(Overlay, BytesFollowTheValues) {
  overlay changes;
  changes.put("k", shared_bytes::copy_of(std::string(1000, 'x')));
  const auto large = changes.bytes();
  changes.put("k", {});
  EXPECT_EQ(changes.bytes(), large - 1000);
}

TEST(Overlay, CursorSeesEveryKeyOnceAndInOrder) {
  std::mt19937_64 random{3};
  overlay changes;
  std::set<std::string> keys;
  for (int i = 0; i < 3000; ++i) {
    const auto key = std::to_string(random() % 2000);
    changes.put(key, {});
    keys.insert(key);
    if (random() % 20 == 0)
      changes.order();
    if (random() % 200 == 0) {
      changes.order();
      const auto first = std::to_string(random() % 2000);
      auto expected = keys.lower_bound(first);
      for (overlay::cursor at{changes, first}; at.current(); at.advance()) {
        ASSERT_NE(expected, keys.end());
        ASSERT_EQ(at.current()->first, *expected++);
      }
      ASSERT_EQ(expected, keys.end());
    }
  }
}

TEST(Overlay, AdoptedOrderServesScans) {
  overlay changes;
  for (const auto* key : {"c", "a", "b"})
    changes.put(key, {});
  EXPECT_FALSE(changes.ordered());
  changes.adopt(changes.sorted());
  EXPECT_TRUE(changes.ordered());
  overlay::cursor at{changes, "b"};
  EXPECT_EQ(at.current()->first, "b");
  at.advance();
  EXPECT_EQ(at.current()->first, "c");
}

} // namespace
} // namespace troupe::storage
