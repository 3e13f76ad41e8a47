// SPDX-License-Identifier: Apache-2.0
#include "core/name_path.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace troupe::core;

TEST(NamePath, LeavesPlainNamesAsTheyAre) {
  EXPECT_EQ(encode_path_segment("anna-7@example.org~"), "anna-7@example.org~");
  EXPECT_EQ(encode_path_segment(""), "");
}

TEST(NamePath, HidesWhatWouldEndASegment) {
  EXPECT_EQ(encode_path_segment("a/b?c#d%e f"), "a%2Fb%3Fc%23d%25e%20f");
  EXPECT_EQ(encode_path_segment("\xC3\xA4"), "%C3%A4");
}

TEST(NamePath, EveryNameComesBack) {
  std::string all;
  for (int c = 0; c < 256; ++c)
    all += static_cast<char>(c);
  EXPECT_EQ(decode_path_segment(encode_path_segment(all)), all);
}

TEST(NamePath, APercentSignAloneStandsForItself) {
  EXPECT_EQ(decode_path_segment("100%"), "100%");
  EXPECT_EQ(decode_path_segment("%2"), "%2");
  EXPECT_EQ(decode_path_segment("%zz%2f%2F"), "%zz//");
}

} // namespace
