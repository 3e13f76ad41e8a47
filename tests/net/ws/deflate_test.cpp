// SPDX-License-Identifier: Apache-2.0
#include "net/ws/deflate.hpp"
#include "net/ws/deflate_offer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace troupe::net::ws {
namespace {

using namespace std::string_literals;

constexpr std::size_t no_limit = std::size_t{1} << 30;

std::string packed(std::string_view text, int bits = 15) {
  const std::array pieces{core::as_bytes(text)};
  return deflate_message(pieces, bits);
}

TEST(WsDeflate, MessagesComeThroughWhole) {
  std::mt19937 random{7};
  for (const std::size_t size : {0U, 1U, 100U, 8192U, 100'000U}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i)
      text += static_cast<char>('a' + random() % 7);
    for (int bits = 9; bits <= 15; ++bits) {
      std::string out = "old";
      ASSERT_EQ(
          inflate_message(core::as_bytes(packed(text, bits)), no_limit, out),
          inflate_outcome::ok);
      ASSERT_EQ(out, text);
    }
  }
}

TEST(WsDeflate, PiecesAreOneMessage) {
  const std::array pieces{core::as_bytes("one "), core::bytes_view{},
                          core::as_bytes("two")};
  std::string out;
  ASSERT_EQ(inflate_message(core::as_bytes(deflate_message(pieces, 15)),
                            no_limit, out),
            inflate_outcome::ok);
  EXPECT_EQ(out, "one two");
}

TEST(WsDeflate, BytesOfTheStandardsExamples) {
  // RFC 7692 7.2.3.1, 7.2.3.3 (no compression), 7.2.3.4 (final block),
  // 7.2.3.5 (two blocks).
  for (const auto& bytes :
       {"\xf2\x48\xcd\xc9\xc9\x07\x00"s,
        "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s,
        "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s,
        "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s}) {
    std::string out;
    ASSERT_EQ(inflate_message(core::as_bytes(bytes), no_limit, out),
              inflate_outcome::ok);
    EXPECT_EQ(out, "Hello");
  }
  EXPECT_EQ(packed(""), "\x00"s);
}

TEST(WsDeflate, OutputIsBounded) {
  const auto bomb = packed(std::string(1'000'000, '0'));
  EXPECT_LT(bomb.size(), 10'000U);
  std::string out;
  EXPECT_EQ(inflate_message(core::as_bytes(bomb), 999'999, out),
            inflate_outcome::too_large);
  EXPECT_LE(out.size(), 999'999U);
  EXPECT_EQ(inflate_message(core::as_bytes(bomb), 1'000'000, out),
            inflate_outcome::ok);
}

TEST(WsDeflate, DamagedDataIsRefused) {
  std::string out;
  EXPECT_EQ(inflate_message(core::as_bytes("\xff\xff\xff"), no_limit, out),
            inflate_outcome::corrupt);
  const auto whole = packed("a text that is long enough to be cut short");
  EXPECT_EQ(inflate_message(core::as_bytes(whole).first(whole.size() / 2),
                            no_limit, out),
            inflate_outcome::corrupt);
  // The next message is not affected.
  EXPECT_EQ(inflate_message(core::as_bytes(whole), no_limit, out),
            inflate_outcome::ok);
}

TEST(WsDeflateOffer, BrowsersGetCompression) {
  const auto agreement =
      accept_deflate_offer("permessage-deflate; client_max_window_bits");
  ASSERT_TRUE(agreement);
  EXPECT_EQ(deflate_response(*agreement),
            "permessage-deflate; server_no_context_takeover; "
            "client_no_context_takeover");
}

TEST(WsDeflateOffer, SmallerServerWindowsAreHonoured) {
  const auto agreement = accept_deflate_offer(
      "x-other, Permessage-Deflate ; server_max_window_bits=\"10\"");
  ASSERT_TRUE(agreement);
  EXPECT_EQ(agreement->server_window_bits, 10);
  EXPECT_EQ(deflate_response(*agreement),
            "permessage-deflate; server_no_context_takeover; "
            "client_no_context_takeover; server_max_window_bits=10");
}

TEST(WsDeflateOffer, FirstAcceptableOfferCounts) {
  const auto agreement = accept_deflate_offer(
      "permessage-deflate; server_max_window_bits=8, permessage-deflate");
  ASSERT_TRUE(agreement);
  EXPECT_EQ(agreement->server_window_bits, 15);
}

TEST(WsDeflateOffer, MalformedOffersAreDeclined) {
  for (const std::string_view offer :
       {"", ",", "permessage-bzip2", "permessage-deflate; foo",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; "
        "server_no_context_takeover",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=",
        "permessage-deflate; client_max_window_bits=\"",
        "permessage-deflate; ;", "permessage-deflate; =10"})
    EXPECT_FALSE(accept_deflate_offer(offer)) << offer;
}

TEST(WsDeflateOffer, OurOfferIsAcceptedByOurServer) {
  const auto agreement = accept_deflate_offer(deflate_offer());
  ASSERT_TRUE(agreement);
  const auto answer = read_deflate_response(deflate_response(*agreement));
  EXPECT_TRUE(answer.acceptable);
  EXPECT_EQ(answer.agreement, agreement);
}

TEST(WsDeflateOffer, AnswersAreCheckedByTheClient) {
  EXPECT_TRUE(read_deflate_response("").acceptable);
  EXPECT_FALSE(read_deflate_response("").agreement);
  for (const std::string_view wrong :
       {"permessage-deflate", "x-other",
        "permessage-deflate; server_no_context_takeover, x",
        "permessage-deflate; server_no_context_takeover; "
        "client_max_window_bits"})
    EXPECT_FALSE(read_deflate_response(wrong).acceptable) << wrong;
}

} // namespace
} // namespace troupe::net::ws
