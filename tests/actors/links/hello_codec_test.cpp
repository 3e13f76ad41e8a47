// SPDX-License-Identifier: Apache-2.0
#include "actors/links/hello_codec.hpp"
#include "actors/links/secret_proof.hpp"

#include <gtest/gtest.h>

namespace troupe::actors::links {
namespace {

hello sample_hello() {
  hello h;
  h.purpose = purpose::join;
  h.cluster.fill(std::byte{9});
  h.node = core::node_id{4};
  h.expected = core::node_id{5};
  h.incarnation = incarnation{0x1122334455667788U};
  h.nonce = random_nonce();
  h.window = {70'000, 80'000};
  h.address = "node-4.example:7001";
  return h;
}

TEST(HelloCodec, ReadsWhatItWrites) {
  const auto h = sample_hello();
  const auto text = encode(h);
  const auto read = decode_hello(core::as_bytes(text));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, h);
}

TEST(HelloCodec, RefusesEveryShorterHello) {
  const auto text = encode(sample_hello());
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(decode_hello(core::as_bytes(text).first(size))) << size;
}

TEST(HelloCodec, RefusesBytesBehindAHelloOfThisVersion) {
  EXPECT_FALSE(decode_hello(core::as_bytes(encode(sample_hello()) + "x")));
}

TEST(HelloCodec, SkipsFieldsOfANewerVersion) {
  auto h = sample_hello();
  h.version = protocol_version + 1;
  EXPECT_TRUE(decode_hello(core::as_bytes(encode(h) + "more")));
}

TEST(HelloCodec, RefusesAnAddressThatWouldMessUpALog) {
  auto h = sample_hello();
  h.address = "a\nb:1";
  EXPECT_FALSE(decode_hello(core::as_bytes(encode(h))));
}

TEST(HelloCodec, FitsIntoAHandshakeFrame) {
  auto h = sample_hello();
  h.address.assign(1000, 'a');
  EXPECT_LE(encode(h).size() + proof_size, handshake_frame_max);
}

TEST(HelloCodec, RefusesAFrameOfSomethingElse) {
  for (const char* text : {"GET / HT", "\x16\x03\x01\x02\x00\x01\x00\x01",
                           "TRL\x09\0\0\0\0", "TRL\0\0\0\0\0", "TRX\1\0\0\0\0"})
    EXPECT_FALSE(decode_frame_head(core::as_bytes({text, 8}), 100)) << text;
}

TEST(HelloCodec, BoundsAFrame) {
  const auto text = encode_frame(frame_type::proof, std::string(101, 'x'));
  EXPECT_FALSE(decode_frame_head(core::as_bytes(text).first(8), 100));
  const auto head = decode_frame_head(core::as_bytes(text).first(8), 101);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->type, frame_type::proof);
  EXPECT_EQ(head->length, 101U);
}

TEST(HelloCodec, CarriesEveryRefusal) {
  for (std::uint16_t code = 1; code < refusal_codes; ++code) {
    const refusal why{refusal_code{code}, "because"};
    const auto read = decode_refusal(core::as_bytes(encode(why)));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, why);
    EXPECT_NE(to_string(why.code), "unknown");
  }
  EXPECT_FALSE(decode_refusal(
      core::as_bytes(encode(refusal{refusal_code{refusal_codes}, "because"}))));
}

TEST(HelloCodec, CleansTheTextOfARefusal) {
  const auto read = decode_refusal(
      core::as_bytes(encode(refusal{refusal_code::busy, "a\x1b[2Jb"})));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text, "a?[2Jb");
}

} // namespace
} // namespace troupe::actors::links
