// SPDX-License-Identifier: Apache-2.0
#include "net/ip_endpoint.hpp"

#include <gtest/gtest.h>

namespace troupe::net {
namespace {

boost::asio::ip::address address(const char* text) {
  return boost::asio::ip::make_address(text);
}

TEST(IpEndpoint, ReadsAndPrintsBothFamilies) {
  for (auto text : {"127.0.0.1:8080", "[::1]:80", "0.0.0.0:0", "[::]:65535"}) {
    auto parsed = parse_endpoint(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(to_string(*parsed), text);
  }
}

TEST(IpEndpoint, TakesNothingForEveryAddress) {
  EXPECT_EQ(to_string(*parse_endpoint(":8080")), "[::]:8080");
  EXPECT_EQ(to_string(*parse_endpoint("*:8080")), "[::]:8080");
  EXPECT_EQ(to_string(*parse_endpoint("localhost:1")), "127.0.0.1:1");
}

TEST(IpEndpoint, RefusesWhatIsNoAddress) {
  for (auto text : {"", "8080", "host.example:1", "127.0.0.1:", "1.2.3.4:65536",
                    "::1:80", "[127.0.0.1]:80", "1.2.3.4:-1", "1.2.3.4:1x"}) {
    auto parsed = parse_endpoint(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, core::errc::invalid_config);
  }
}

TEST(IpNetwork, HasItsAddresses) {
  auto ten = *ip_network::parse("10.0.0.0/8");
  EXPECT_TRUE(ten.contains(address("10.255.1.2")));
  EXPECT_TRUE(ten.contains(address("::ffff:10.1.1.1")));
  EXPECT_FALSE(ten.contains(address("11.0.0.0")));
  auto odd = *ip_network::parse("192.0.2.128/25");
  EXPECT_TRUE(odd.contains(address("192.0.2.129")));
  EXPECT_FALSE(odd.contains(address("192.0.2.127")));
  auto six = *ip_network::parse("2001:db8::/32");
  EXPECT_TRUE(six.contains(address("2001:db8:1::1")));
  EXPECT_FALSE(six.contains(address("2001:db9::1")));
  EXPECT_FALSE(six.contains(address("10.0.0.1")));
  auto one = *ip_network::parse("192.0.2.1");
  EXPECT_TRUE(one.contains(address("192.0.2.1")));
  EXPECT_FALSE(one.contains(address("192.0.2.2")));
}

TEST(IpNetwork, RefusesWhatIsNone) {
  for (auto text : {"", "10.0.0.0/33", "10.0.0.0/", "x/8", "::/129"})
    EXPECT_FALSE(ip_network::parse(text)) << text;
}

} // namespace
} // namespace troupe::net
