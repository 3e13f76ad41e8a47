// SPDX-License-Identifier: Apache-2.0
#include "app/suggestions.hpp"

#include <gtest/gtest.h>

namespace troupe::app {
namespace {

TEST(EditDistance, CountsEachKindOfEditOnce) {
  EXPECT_EQ(edit_distance("listen", "listen"), 0U);
  EXPECT_EQ(edit_distance("lsten", "listen"), 1U);   // inserted
  EXPECT_EQ(edit_distance("lissten", "listen"), 1U); // deleted
  EXPECT_EQ(edit_distance("lisden", "listen"), 1U);  // replaced
  EXPECT_EQ(edit_distance("lisetn", "listen"), 1U);  // swapped
}

TEST(EditDistance, OfNothingIsTheLength) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
}

TEST(EditDistance, IgnoresCase) {
  EXPECT_EQ(edit_distance("TROUPE_Node", "troupe_NODE"), 0U);
}

TEST(DidYouMean, NamesTheNearestCandidate) {
  EXPECT_EQ(did_you_mean("serv", {"post", "serve", "user"}),
            "; did you mean 'serve'?");
  EXPECT_EQ(did_you_mean("mesages_max", {"bytes_max", "messages_max"}),
            "; did you mean 'messages_max'?");
}

TEST(DidYouMean, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(did_you_mean("zebra", {"post", "serve"}), "");
  EXPECT_EQ(did_you_mean("", {"post"}), "");
  EXPECT_EQ(did_you_mean("x", {"y"}), "");
  EXPECT_EQ(did_you_mean(std::string(10'000, 'a'), {"aaaa"}), "");
}

TEST(DidYouMean, TakesTheFirstOfEquallyNear) {
  EXPECT_EQ(closest("lost", {"list", "post"}), "list");
}

} // namespace
} // namespace troupe::app
