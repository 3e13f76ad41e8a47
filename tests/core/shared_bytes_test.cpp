// SPDX-License-Identifier: Apache-2.0
#include "core/shared_bytes.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace troupe::core {
namespace {

TEST(SharedBytes, CopyIsIndependentOfItsSource) {
  std::string source = "hello";
  auto bytes = shared_bytes::copy_of(source);
  source[0] = 'J';
  EXPECT_EQ(bytes.text(), "hello");
}

TEST(SharedBytes, SliceSharesAndOutlivesTheWhole) {
  std::optional<shared_bytes> whole{shared_bytes::copy_of("header|body")};
  auto part = whole->slice(7, 4);
  EXPECT_EQ(part.data(), whole->data() + 7);
  whole.reset();
  EXPECT_EQ(part.text(), "body");
  EXPECT_EQ(part.owner_size(), 11U);
}

TEST(SharedBytes, EmptyNeedsNoMemory) {
  shared_bytes none = shared_bytes::copy_of("");
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.owner_size(), 0U);
  EXPECT_EQ(none, shared_bytes{});
}

TEST(SharedBytes, SelfAssignmentKeepsTheBytes) {
  auto bytes = shared_bytes::copy_of("x");
  auto& same = bytes;
  bytes = same;
  EXPECT_EQ(bytes.text(), "x");
}

TEST(SharedBytesDeathTest, SliceOutsideIsAProgrammersError) {
  auto bytes = shared_bytes::copy_of("abc");
  EXPECT_DEATH((void)bytes.slice(2, 2), "slice outside");
}

} // namespace
} // namespace troupe::core
