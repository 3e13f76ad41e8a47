// SPDX-License-Identifier: Apache-2.0
#include "net/access_log.hpp"

#include <gtest/gtest.h>

namespace troupe::net {
namespace {

// 2000-10-10 13:55:36 UTC
const auto when = core::from_millis(971'186'136'000);

TEST(AccessLog, WritesTheCombinedFormat) {
  const access_entry entry{"127.0.0.1",
                           "frank",
                           "GET /apache_pb.gif HTTP/1.0",
                           "http://www.example.com/start.html",
                           "Mozilla/4.08 [en]",
                           200,
                           2326};
  EXPECT_EQ(combined_line(entry, when),
            "127.0.0.1 - frank [10/Oct/2000:13:55:36 +0000] "
            "\"GET /apache_pb.gif HTTP/1.0\" 200 2326 "
            "\"http://www.example.com/start.html\" \"Mozilla/4.08 [en]\"\n");
}

TEST(AccessLog, WhatIsNotKnownIsADash) {
  EXPECT_EQ(combined_line({"::1", "", "", "", "", 400, 0}, when),
            "::1 - - [10/Oct/2000:13:55:36 +0000] \"-\" 400 0 \"-\" \"-\"\n");
}

TEST(AccessLog, NobodyForgesALineOrAField) {
  const access_entry entry{
      "::1", "a b", "GET /\" 200 HTTP/1.1", "\n", "\\\x7f\xc3", 101, 5};
  EXPECT_EQ(combined_line(entry, when),
            "::1 - a\\x20b [10/Oct/2000:13:55:36 +0000] "
            "\"GET /\\x22 200 HTTP/1.1\" 101 5 \"\\x0A\" "
            "\"\\x5C\\x7F\\xC3\"\n");
}

TEST(AccessLog, FindsTheStatusOfAnAnswer) {
  EXPECT_EQ(status_in("HTTP/1.1 204 OK\r\n\r\n"), 204U);
  EXPECT_EQ(status_in("HTTP/1.1"), 0U);
  EXPECT_EQ(status_in("hello 200"), 0U);
}

} // namespace
} // namespace troupe::net
