// SPDX-License-Identifier: Apache-2.0
#include "core/name_rules.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace troupe::core;

TEST(NameRules, TakesWhatWouldBeAPathElsewhere) {
  for (const char* name : {"a", "../../etc/passwd", "bob,1", "Bob", "a b",
                           "\xC3\xA4", "\xFF\xFE", "."})
    EXPECT_TRUE(is_name(name)) << name;
}

TEST(NameRules, RefusesEmptyAndControlCharacters) {
  EXPECT_FALSE(is_name(""));
  EXPECT_FALSE(is_name("a\n"));
  EXPECT_FALSE(is_name("\x7F"));
  EXPECT_FALSE(is_name(std::string_view{"a\0b", 3}));
  EXPECT_FALSE(is_realm(""));
}

TEST(NameRules, BoundsTheLength) {
  EXPECT_TRUE(is_name(std::string(name_bytes_max, 'x')));
  EXPECT_FALSE(is_name(std::string(name_bytes_max + 1, 'x')));
  EXPECT_TRUE(is_realm(std::string(realm_bytes_max, 'x')));
  EXPECT_FALSE(is_realm(std::string(realm_bytes_max + 1, 'x')));
}

} // namespace
