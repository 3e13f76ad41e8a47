// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_header.hpp"
#include "net/sniff.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net {
namespace {

sniffed look(std::string_view bytes) { return sniff(core::as_bytes(bytes)); }

TEST(Sniff, FirstByteTellsProtocolsApart) {
  EXPECT_EQ(look(""), sniffed::need_more);
  EXPECT_EQ(look("\x16\x03\x01"), sniffed::tls);
  EXPECT_EQ(look("\x10"), sniffed::mqtt);
  EXPECT_EQ(look("\x7f"), sniffed::wamp_rawsocket);
  for (int byte = 0x80; byte <= 0x8f; ++byte)
    EXPECT_EQ(look(std::string(1, static_cast<char>(byte))), sniffed::mq);
  for (const std::string_view unknown : {"\x90", "\xff", "\x01", " ", "7", "{"})
    EXPECT_EQ(look(unknown), sniffed::unknown);
  EXPECT_EQ(look(std::string(1, '\0')), sniffed::unknown);
}

TEST(Sniff, HttpStartsWithALetter) {
  for (const std::string_view method :
       {"GET /", "POST /x", "PUT", "PATCH", "PROPFIND", "get", "DELETE"})
    EXPECT_EQ(look(method), sniffed::http) << method;
}

TEST(Sniff, ProxyHeadersNeedTheirWholeSignature) {
  EXPECT_EQ(look("P"), sniffed::need_more);
  EXPECT_EQ(look("PR"), sniffed::need_more);
  EXPECT_EQ(look("PROXY"), sniffed::need_more);
  EXPECT_EQ(look("PROXY "), sniffed::proxy_v1);
  EXPECT_EQ(look("PRO "), sniffed::http);
  for (std::size_t size = 1; size < proxy_v2_signature.size(); ++size)
    EXPECT_EQ(look(proxy_v2_signature.substr(0, size)), sniffed::need_more);
  EXPECT_EQ(look(proxy_v2_signature), sniffed::proxy_v2);
  EXPECT_EQ(look("\r\n\r\nX"), sniffed::unknown);
}

TEST(Sniff, NeverNeedsMoreThanItSays) {
  std::string bytes(sniff_bytes_max, '\0');
  for (int first = 0; first < 256; ++first) {
    bytes[0] = static_cast<char>(first);
    EXPECT_NE(look(bytes), sniffed::need_more);
  }
}

} // namespace
} // namespace troupe::net
