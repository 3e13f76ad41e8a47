// SPDX-License-Identifier: Apache-2.0
#include "cluster/configuration.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace troupe::cluster {
namespace {

configuration members(std::initializer_list<std::uint32_t> voters,
                      std::initializer_list<std::uint32_t> learners = {}) {
  configuration c;
  for (const auto v : voters)
    c.voters.emplace_back(v);
  for (const auto l : learners)
    c.learners.emplace_back(l);
  return c;
}

TEST(Configuration, QuorumIsAMajorityOfTheVoters) {
  EXPECT_EQ(members({1}).quorum(), 1U);
  EXPECT_EQ(members({1, 2}).quorum(), 2U);
  EXPECT_EQ(members({1, 2, 3}, {4, 5}).quorum(), 2U);
  EXPECT_EQ(members({1, 2, 3, 4, 5}).quorum(), 3U);
}

TEST(Configuration, NeedsAVoterAndNoNodeTwice) {
  EXPECT_TRUE(is_valid(members({1}, {2})));
  EXPECT_FALSE(is_valid(members({}, {2})));
  EXPECT_FALSE(is_valid(members({1, 1})));
  EXPECT_FALSE(is_valid(members({1}, {1})));
  EXPECT_FALSE(is_valid(members({0, 1})));
}

TEST(Configuration, OneStepMovesOneVoterAndAnyLearners) {
  EXPECT_TRUE(is_single_step(members({1, 2}), members({2, 1, 3})));
  EXPECT_TRUE(is_single_step(members({1, 2, 3}), members({1, 3}, {2})));
  EXPECT_TRUE(is_single_step(members({1}), members({1}, {2, 3})));
  EXPECT_FALSE(is_single_step(members({1, 2, 3}), members({1, 2, 4})));
}

TEST(Configuration, SurvivesTheRoundTrip) {
  const auto c = members({3, 1}, {9});
  EXPECT_EQ(*decode_configuration(encode(c).view()), c);
  EXPECT_FALSE(decode_configuration({}));
  EXPECT_FALSE(decode_configuration(encode(members({1, 1})).view()));
}

TEST(ConfigurationHistory, TruncationBringsThePreviousBack) {
  configuration_history h;
  h.append(core::log_index{1}, members({1}));
  h.append(core::log_index{5}, members({1, 2}));
  h.append(core::log_index{8}, members({1, 2, 3}));
  h.truncate(core::log_index{8});
  EXPECT_EQ(h.current(), members({1, 2}));
  EXPECT_EQ(h.current_index(), core::log_index{5});
  EXPECT_EQ(h.at(core::log_index{4})->members, members({1}));
}

TEST(ConfigurationHistory, CompactionKeepsTheOneInForce) {
  configuration_history h;
  h.append(core::log_index{1}, members({1}));
  h.append(core::log_index{5}, members({1, 2}));
  h.append(core::log_index{8}, members({1, 2, 3}));
  h.compact(core::log_index{7});
  EXPECT_EQ(h.at(core::log_index{4}), nullptr);
  EXPECT_EQ(h.at(core::log_index{7})->members, members({1, 2}));
}

} // namespace
} // namespace troupe::cluster
