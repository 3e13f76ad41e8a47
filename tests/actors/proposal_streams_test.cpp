// SPDX-License-Identifier: Apache-2.0
#include "actors/proposal_streams.hpp"

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using core::node_id;

class ProposalStreams : public ::testing::Test {
protected:
  bool take(std::uint32_t from, std::uint64_t stream, std::uint64_t place) {
    return streams_.take(node_id{from}, {stream, place, {}});
  }
  [[nodiscard]] bool broken(std::uint32_t node) const {
    return streams_.is_broken(node_id{node});
  }

  proposal_streams streams_;
};

TEST_F(ProposalStreams, AreTakenFrameByFrame) {
  EXPECT_FALSE(broken(1));
  for (std::uint64_t place = 0; place < 5; ++place)
    EXPECT_TRUE(take(1, 7, place)) << place;
  EXPECT_FALSE(broken(1));
}

TEST_F(ProposalStreams, AreBrokenOffByAGapUntilAnotherBegins) {
  EXPECT_TRUE(take(1, 7, 0));
  EXPECT_FALSE(take(1, 7, 2));
  EXPECT_TRUE(broken(1));
  EXPECT_FALSE(take(1, 7, 1)) << "it has been given up by then";
  EXPECT_FALSE(take(1, 7, 3));
  EXPECT_FALSE(take(1, 7, 0)) << "the same one does not begin again";
  EXPECT_TRUE(take(1, 8, 0));
  EXPECT_FALSE(broken(1));
}

TEST_F(ProposalStreams, AreTakenFromTheirBeginningOnly) {
  EXPECT_FALSE(take(1, 7, 1));
  EXPECT_TRUE(broken(1));
}

TEST_F(ProposalStreams, OfOthersGoOn) {
  EXPECT_TRUE(take(1, 7, 0));
  EXPECT_TRUE(take(2, 9, 0));
  streams_.break_off(node_id{1});
  EXPECT_TRUE(broken(1));
  EXPECT_FALSE(take(1, 7, 1));
  EXPECT_FALSE(broken(2));
  EXPECT_TRUE(take(2, 9, 1));
}

} // namespace
} // namespace troupe::actors
