// SPDX-License-Identifier: Apache-2.0
#include "net/ws/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::ws {
namespace {

bool check(std::string_view text) { return is_utf8(core::as_bytes(text)); }

TEST(Utf8, AcceptsWellFormedText) {
  for (const std::string_view good :
       {"", "plain", "a much longer plain text, in words of eight",
        "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", "\xc2\x80",
        "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(check(good)) << good;
}

TEST(Utf8, RefusesEverythingElse) {
  for (const std::string_view bad :
       {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x80\xaf",
        "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\xaf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff",
        "\xf0\x90\x80"}) {
    EXPECT_FALSE(check(bad));
    for (std::size_t lead = 0; lead < 17; ++lead) {
      EXPECT_FALSE(check(std::string(lead, 'x') + std::string{bad}));
      EXPECT_FALSE(check(std::string(lead, 'x') + std::string{bad} +
                         std::string(lead, 'y')));
    }
  }
}

} // namespace
} // namespace troupe::net::ws
