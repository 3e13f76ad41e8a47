// SPDX-License-Identifier: Apache-2.0
#include "core/keyed_cache.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace troupe::core;
using namespace std::chrono_literals;

constexpr steady_time begin{100s};

TEST(KeyedCache, RemembersForATime) {
  keyed_cache<int> cache{4, 1000ms};
  cache.put("a", 1, begin);
  EXPECT_EQ(cache.find("a", begin + 999ms), 1);
  EXPECT_EQ(cache.find("b", begin), std::nullopt);
  EXPECT_EQ(cache.find("a", begin + 1000ms), std::nullopt);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(KeyedCache, ANewValueLivesAnew) {
  keyed_cache<int> cache{4, 1000ms};
  cache.put("a", 1, begin);
  cache.put("b", 2, begin + 1ms);
  cache.put("a", 3, begin + 900ms);
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(cache.find("a", begin + 1500ms), 3);
  EXPECT_EQ(cache.find("b", begin + 1500ms), std::nullopt);
}

TEST(KeyedCache, TheOldestMakeRoom) {
  keyed_cache<std::string> cache{3, 1000ms};
  for (int i = 0; i < 10; ++i)
    cache.put("key " + std::to_string(i), std::to_string(i), begin);
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_EQ(cache.find("key 6", begin), std::nullopt);
  EXPECT_EQ(cache.find("key 7", begin), "7");
  EXPECT_EQ(cache.find("key 9", begin), "9");
}

TEST(KeyedCache, WhatHasEndedGoesWhenSomethingComes) {
  keyed_cache<int> cache{100, 1000ms};
  for (int i = 0; i < 50; ++i)
    cache.put(std::to_string(i), i, begin);
  cache.put("new", 1, begin + 2s);
  EXPECT_EQ(cache.size(), 1U);
}

} // namespace
