// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_header.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net {
namespace {

using namespace std::string_literals;
using status = proxy_header::status;

proxy_header parse(std::string_view bytes) {
  return parse_proxy_header(core::as_bytes(bytes));
}

std::string v2(unsigned command, unsigned family, std::string_view rest) {
  std::string bytes{proxy_v2_signature};
  bytes += static_cast<char>(command);
  bytes += static_cast<char>(family);
  bytes += static_cast<char>(rest.size() >> 8);
  bytes += static_cast<char>(rest.size() & 0xff);
  return bytes.append(rest);
}

TEST(ProxyHeader, TextFormNamesBothEnds) {
  const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";
  const auto read = parse(line + "GET / HTTP/1.1\r\n");
  ASSERT_EQ(read.what, status::ready);
  EXPECT_EQ(read.bytes, line.size());
  EXPECT_EQ(to_string(read.source), "192.0.2.1:56324");
  EXPECT_EQ(to_string(read.destination), "198.51.100.7:443");
  const auto six = parse("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n");
  ASSERT_EQ(six.what, status::ready);
  EXPECT_EQ(to_string(six.source), "[2001:db8::1]:1");
  EXPECT_EQ(to_string(six.destination), "[::1]:65535");
}

TEST(ProxyHeader, UnknownInTextFormHasNoAddresses) {
  for (const std::string_view line :
       {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 x 1 2\r\n"}) {
    const auto read = parse(line);
    ASSERT_EQ(read.what, status::ready);
    EXPECT_EQ(read.bytes, line.size());
    EXPECT_EQ(to_string(read.source), "unknown");
  }
}

TEST(ProxyHeader, PrefixesNeedMore) {
  const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";
  const auto binary = v2(0x21, 0x11, std::string(12, 'x'));
  for (const auto& whole : {line, binary})
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_EQ(parse(whole.substr(0, size)).what, status::need_more) << size;
}

TEST(ProxyHeader, WrongTextIsRefused) {
  for (const std::string_view line :
       {"PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 x\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 56324 65536\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 056 443\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.7 1 443\r\n",
        "PROXY TCP4 ::1 ::1 1 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.7 1 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.7 1 443\r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.7 1 443\r\n", "PROXY \r\n",
        "GET / HTTP/1.1\r\n"})
    EXPECT_EQ(parse(line).what, status::malformed) << line;
}

TEST(ProxyHeader, EndlessLinesAreRefused) {
  const auto line = "PROXY UNKNOWN " + std::string(100, 'x');
  EXPECT_EQ(parse(line.substr(0, proxy_v1_bytes_max - 1)).what,
            status::need_more);
  EXPECT_EQ(parse(line.substr(0, proxy_v1_bytes_max)).what, status::malformed);
}

TEST(ProxyHeader, BinaryFormSkipsItsExtras) {
  const auto addresses = "\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb"s;
  const auto bytes = v2(0x21, 0x11, addresses + "\x04\x00\x03xyz"s);
  const auto read = parse(bytes + "rest");
  ASSERT_EQ(read.what, status::ready);
  EXPECT_EQ(read.bytes, bytes.size());
  EXPECT_EQ(to_string(read.source), "192.0.2.1:56324");
  EXPECT_EQ(to_string(read.destination), "198.51.100.7:443");
}

TEST(ProxyHeader, BinaryFormOfIpv6) {
  std::string addresses(36, '\0');
  addresses[15] = 1;
  addresses[16] = 0x20;
  addresses[17] = 0x01;
  addresses[33] = 80;
  const auto read = parse(v2(0x21, 0x21, addresses));
  ASSERT_EQ(read.what, status::ready);
  EXPECT_EQ(to_string(read.source), "[::1]:80");
  EXPECT_EQ(to_string(read.destination), "[2001::]:0");
}

TEST(ProxyHeader, LocalAndUnixHaveNoAddresses) {
  for (const auto& bytes :
       {v2(0x20, 0x00, ""), v2(0x20, 0x11, ""),
        v2(0x21, 0x31, std::string(216, 'u')), v2(0x21, 0x00, "")}) {
    const auto read = parse(bytes);
    ASSERT_EQ(read.what, status::ready);
    EXPECT_EQ(read.bytes, bytes.size());
    EXPECT_EQ(read.source.kind, peer_address::family::none);
  }
}

TEST(ProxyHeader, WrongBinaryIsRefused) {
  for (const auto& bytes :
       {v2(0x11, 0x11, std::string(12, 'x')),    // version 1
        v2(0x22, 0x11, std::string(12, 'x')),    // unknown command
        v2(0x21, 0x41, std::string(12, 'x')),    // unknown family
        v2(0x21, 0x11, std::string(11, 'x')),    // too short for IPv4
        v2(0x21, 0x21, std::string(35, 'x')),    // too short for IPv6
        v2(0x21, 0x11, std::string(4081, 'x'))}) // too long
    EXPECT_EQ(parse(bytes).what, status::malformed);
}

} // namespace
} // namespace troupe::net
