// SPDX-License-Identifier: Apache-2.0
#include "net/address_limits.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::net {
namespace {

using namespace std::chrono_literals;

boost::asio::ip::address address(const std::string& text) {
  return boost::asio::ip::make_address(text);
}

address_limits_options unlimited() {
  address_limits_options o;
  o.address_connections_max = 0;
  o.accepts = {};
  o.logins = {};
  return o;
}

const core::steady_time start{1h};

TEST(AddressLimits, CountsConnectionsOfAnAddress) {
  auto o = unlimited();
  o.address_connections_max = 2;
  auto limits = address_limits::make(o);
  auto one = limits->admit(address("192.0.2.1"), start);
  auto two = limits->admit(address("192.0.2.1"), start);
  EXPECT_EQ(limits->admit(address("192.0.2.1"), start).refused,
            refusal::address_connections);
  EXPECT_TRUE(limits->admit(address("192.0.2.2"), start).lease);
  two.lease.release();
  EXPECT_TRUE(limits->admit(address("192.0.2.1"), start).lease);
  EXPECT_EQ(limits->connections(), 1U);
}

TEST(AddressLimits, TakesASubnetOfIpv6ForOneClient) {
  auto o = unlimited();
  o.address_connections_max = 1;
  auto limits = address_limits::make(o);
  auto one = limits->admit(address("2001:db8::1"), start);
  EXPECT_TRUE(limits->admit(address("2001:db8::2"), start).refused);
  EXPECT_FALSE(limits->admit(address("2001:db8:0:1::1"), start).refused);
}

TEST(AddressLimits, TakesMappedAddressesForIpv4) {
  auto o = unlimited();
  o.address_connections_max = 1;
  auto limits = address_limits::make(o);
  auto one = limits->admit(address("::ffff:192.0.2.1"), start);
  EXPECT_TRUE(limits->admit(address("192.0.2.1"), start).refused);
  EXPECT_FALSE(limits->admit(address("192.0.2.2"), start).refused);
}

TEST(AddressLimits, LeavesLoopbackAlone) {
  auto o = unlimited();
  o.address_connections_max = 1;
  auto limits = address_limits::make(o);
  auto one = limits->admit(address("127.0.0.1"), start);
  EXPECT_TRUE(limits->admit(address("127.0.0.1"), start).lease);
}

TEST(AddressLimits, RefillsConnectsAndLoginsWithTime) {
  auto o = unlimited();
  o.accepts = {1, 2};
  o.logins = {10, 1};
  auto limits = address_limits::make(o);
  auto who = address("192.0.2.1");
  EXPECT_TRUE(limits->admit(who, start).lease);
  EXPECT_TRUE(limits->admit(who, start).lease);
  EXPECT_EQ(limits->admit(who, start).refused, refusal::accept_rate);
  EXPECT_TRUE(limits->admit(who, start + 1s).lease);
  EXPECT_TRUE(limits->allow_login(who, start));
  EXPECT_FALSE(limits->allow_login(who, start + 50ms));
  EXPECT_TRUE(limits->allow_login(who, start + 200ms));
}

TEST(AddressLimits, BoundsTheWholeNode) {
  auto o = unlimited();
  o.total_connections_max = 1;
  auto limits = address_limits::make(o);
  auto one = limits->admit(address("192.0.2.1"), start);
  EXPECT_EQ(limits->admit(address("127.0.0.1"), start).refused,
            refusal::total_connections);
}

TEST(AddressLimits, StrangersShareOneEntryOnceTheTableIsFull) {
  auto o = unlimited();
  o.address_connections_max = 3;
  o.table_max = 2;
  auto limits = address_limits::make(o);
  std::vector<address_limits::admission> held;
  for (int i = 0; i < 5; ++i)
    held.push_back(
        limits->admit(address("192.0.2." + std::to_string(i)), start));
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(held[static_cast<std::size_t>(i)].lease) << i;
  EXPECT_TRUE(limits->admit(address("192.0.2.9"), start).refused);
  EXPECT_TRUE(limits->admit(address("192.0.2.0"), start).lease);
  // Entries without a connection are forgotten, and strangers known again.
  held.clear();
  EXPECT_EQ(limits->connections(), 0U);
  EXPECT_TRUE(limits->admit(address("192.0.2.9"), start + 2s).lease);
}

} // namespace
} // namespace troupe::net
