// SPDX-License-Identifier: Apache-2.0
#include "app/endpoint.hpp"

#include <gtest/gtest.h>

namespace troupe::app {
namespace {

TEST(Endpoint, ReadsNamesAndBothKindsOfAddress) {
  EXPECT_EQ(*parse_endpoint("localhost:80"), (endpoint{"localhost", 80}));
  EXPECT_EQ(*parse_endpoint("192.0.2.1:8080"), (endpoint{"192.0.2.1", 8080}));
  EXPECT_EQ(*parse_endpoint("[::1]:0"), (endpoint{"::1", 0}));
  EXPECT_EQ(*parse_endpoint(":8080"), (endpoint{"0.0.0.0", 8080}));
}

TEST(Endpoint, PrintsWhatItReads) {
  for (const auto* text : {"localhost:80", "192.0.2.1:8080", "[::1]:0"})
    EXPECT_EQ(to_string(*parse_endpoint(text)), text);
}

TEST(Endpoint, RefusesWhatIsNoAddress) {
  for (const auto* text :
       {"", "localhost", "localhost:", "localhost:x", "localhost:65536",
        "localhost:-1", "localhost: 80", "::1:8080", "[::1]", "[zz]:1",
        "[127.0.0.1]:1", "a b:1", "http://a:80", "[]:1"}) {
    const auto parsed = parse_endpoint(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, core::errc::invalid_config);
    EXPECT_NE(parsed.error().detail.find("HOST:PORT"), std::string::npos);
  }
}

TEST(Endpoint, KnowsWhoCanReachIt) {
  EXPECT_TRUE(is_loopback({"127.0.0.1", 1}));
  EXPECT_TRUE(is_loopback({"127.9.9.9", 1}));
  EXPECT_TRUE(is_loopback({"::1", 1}));
  EXPECT_TRUE(is_loopback({"localhost", 1}));
  EXPECT_FALSE(is_loopback({"0.0.0.0", 1}));
  EXPECT_FALSE(is_loopback({"::", 1}));
  EXPECT_FALSE(is_loopback({"example.org", 1}));
  EXPECT_TRUE(is_wildcard({"0.0.0.0", 1}));
  EXPECT_TRUE(is_wildcard({"::", 1}));
  EXPECT_FALSE(is_wildcard({"127.0.0.1", 1}));
}

} // namespace
} // namespace troupe::app
