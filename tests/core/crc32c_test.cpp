// SPDX-License-Identifier: Apache-2.0
#include "core/crc32c.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace troupe::core {
namespace {

// RFC 3720, appendix B.4: the two published vectors of 32 equal bytes.
TEST(Crc32c, MatchesThePublishedVectors) {
  std::string zeros(32, '\0');
  std::string ones(32, '\xFF');
  EXPECT_EQ(crc32c(as_bytes(zeros)), 0x8A9136AAU);
  EXPECT_EQ(crc32c(as_bytes(ones)), 0x62A8AB43U);
}

TEST(Crc32c, ContinuesFromASeed) {
  auto whole = crc32c(as_bytes("123456789"));
  EXPECT_EQ(whole, 0xE3069283U);
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), whole);
}

TEST(Crc32c, OfNothingIsZero) { EXPECT_EQ(crc32c({}), 0U); }

} // namespace
} // namespace troupe::core
