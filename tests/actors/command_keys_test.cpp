// SPDX-License-Identifier: Apache-2.0
#include "actors/command_keys.hpp"
#include "core/inbox_store.hpp"
#include "core/origin_window.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <utility>

namespace troupe::actors {
namespace {

TEST(CommandKeys, OneOriginIsEnoughWhileKeysComeBack) {
  command_keys keys;
  std::set<std::uint64_t> origins;
  std::uint64_t last = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto key = keys.take();
    ASSERT_TRUE(key);
    EXPECT_NE(key->origin, 0U);
    EXPECT_EQ(key->sequence, last + 1);
    last = key->sequence;
    origins.insert(key->origin);
    keys.give_back(*key);
  }
  EXPECT_EQ(origins.size(), 1U);
}

TEST(CommandKeys, RefusesWhatDoesNotFitAndGoesOnWhenItFits) {
  command_keys keys;
  std::deque<core::idempotency_key> out;
  while (const auto key = keys.take())
    out.push_back(*key);
  EXPECT_EQ(out.size(), command_keys::origins_max * core::idempotency_window);
  // One in the middle of a window makes no room: its oldest is still out.
  keys.give_back(out[5]);
  EXPECT_FALSE(keys.take());
  keys.give_back(out[0]);
  EXPECT_TRUE(keys.take());
  EXPECT_FALSE(keys.take());
  keys.give_back({out[0].origin, 1}); // a second time
  keys.give_back({7, 1});             // nobody's
  EXPECT_FALSE(keys.take());
  for (const auto& key : out)
    keys.give_back(key);
  EXPECT_TRUE(keys.take());
}

/// However late a command is applied, it is known to be fresh.
TEST(CommandKeys, NoCommandThatIsOutIsTakenForAnOldOne) {
  command_keys keys;
  std::map<std::uint64_t, core::origin_record> applied;
  std::deque<core::idempotency_key> out;
  std::mt19937 random{3};
  for (int i = 0; i < 200'000; ++i) {
    const auto key = keys.take();
    if (key)
      out.push_back(*key);
    // Most are done at once; each hundredth of those that wait comes through
    // at some time.
    if (random() % 100 == 0 || !key)
      std::swap(out[random() % out.size()], out.back());
    else if (random() % 50 == 0)
      continue;
    const auto done = out.back();
    out.pop_back();
    ASSERT_FALSE(core::is_applied(applied[done.origin], done.sequence)) << i;
    core::mark(applied[done.origin], done.sequence);
    keys.give_back(done);
  }
  EXPECT_GT(applied.size(), 1U) << "nothing has waited";
}

} // namespace
} // namespace troupe::actors
