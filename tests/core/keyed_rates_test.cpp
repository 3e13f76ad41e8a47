// SPDX-License-Identifier: Apache-2.0
#include "core/keyed_rates.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace {

using namespace troupe::core;
using namespace std::chrono_literals;

TEST(KeyedRates, EachNameHasItsOwnBurstAndRate) {
  keyed_rates rates{{2, 3}};
  steady_time now{};
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(rates.take("anna", now));
  EXPECT_FALSE(rates.take("anna", now));
  EXPECT_TRUE(rates.take("bob", now));
  now += 500ms;
  EXPECT_TRUE(rates.take("anna", now));
  EXPECT_FALSE(rates.take("anna", now));
  now += 1h; // never more than the burst
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(rates.take("anna", now));
  EXPECT_FALSE(rates.take("anna", now));
}

TEST(KeyedRates, WhatIsGivenBackDoesNotCount) {
  keyed_rates rates{{1, 1}};
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(rates.take("anna", {}));
    rates.give_back("anna", {});
  }
  EXPECT_TRUE(rates.take("anna", {}));
  EXPECT_FALSE(rates.take("anna", {}));
}

TEST(KeyedRates, WithoutARateThereIsNoLimit) {
  keyed_rates rates{{}};
  for (int i = 0; i < 1000; ++i)
    EXPECT_TRUE(rates.take("anna", {}));
}

TEST(KeyedRates, AFloodOfNamesTakesNoMoreThanItsShareAndItsPlaces) {
  keyed_rates rates{{1, 1, 160}};
  steady_time now{};
  EXPECT_TRUE(rates.take("anna", now));
  int passed = 0;
  for (int i = 0; i < 10'000; ++i)
    passed += rates.take(std::to_string(i), now) ? 1 : 0;
  EXPECT_LE(passed, 160 + 16);
  EXPECT_FALSE(rates.take("anna", now)); // known, and empty
  now += 10s;
  EXPECT_TRUE(rates.take("somebody new", now));
}

TEST(KeyedRates, ToLookTakesNothing) {
  keyed_rates rates{{1, 2, 16}};
  steady_time now{};
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(rates.left("anna", now), 2);
  EXPECT_TRUE(rates.take("anna", now));
  EXPECT_EQ(rates.left("anna", now), 1);
  now += 10s;
  EXPECT_EQ(rates.left("anna", now), 2);
}

} // namespace
