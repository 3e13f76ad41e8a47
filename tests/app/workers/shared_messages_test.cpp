// SPDX-License-Identifier: Apache-2.0
#include "app/workers/shared_messages.hpp"
#include "tests/app/workers/sample_words.hpp"

#include <gtest/gtest.h>

namespace troupe::app::workers {
namespace {

core::message_ptr copy_of_number(std::uint64_t number, std::size_t bytes) {
  auto m = sample_message(bytes);
  m.id.number = number;
  return std::make_shared<const core::message>(std::move(m));
}

TEST(SharedMessages, EqualLargeMessagesBecomeOne) {
  shared_messages all;
  const auto first = all.share(copy_of_number(1, 100'000));
  const auto other = all.share(copy_of_number(2, 100'000));
  EXPECT_EQ(all.share(copy_of_number(1, 100'000)), first);
  EXPECT_EQ(all.share(copy_of_number(2, 100'000)), other);
  EXPECT_NE(first, other);
}

TEST(SharedMessages, SmallOnesAreNotLookedFor) {
  shared_messages all;
  const auto first = all.share(copy_of_number(1, 100));
  EXPECT_NE(all.share(copy_of_number(1, 100)), first);
}

TEST(SharedMessages, KeepsNothingAliveAndForgetsTheOldest) {
  shared_messages all;
  auto first = all.share(copy_of_number(1, 100'000));
  const std::weak_ptr<const core::message> gone = first;
  first.reset();
  EXPECT_TRUE(gone.expired());
  first = all.share(copy_of_number(1, 100'000));
  std::vector<core::message_ptr> others;
  for (std::uint64_t n = 2; n < 40; ++n)
    others.push_back(all.share(copy_of_number(n, 100'000)));
  EXPECT_NE(all.share(copy_of_number(1, 100'000)), first);
  EXPECT_EQ(all.share(copy_of_number(39, 100'000)), others.back());
}

} // namespace
} // namespace troupe::app::workers
