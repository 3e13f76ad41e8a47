// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/encoder.hpp"
#include "net/mqtt/outgoing_publish.hpp"
#include "tests/net/mqtt/random_packets.hpp"
#include "tests/net/mqtt/sample_packets.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace troupe::net::mqtt {
namespace {

using namespace test;
using code = reason_code;

constexpr std::array versions{version::v3_1, version::v3_1_1, version::v5};

std::string text_of(const output_queue& queue) {
  std::array<iovec, 16> pieces{};
  const auto count = queue.gather(pieces.data(), pieces.size());
  std::string all;
  for (std::size_t i = 0; i < count; ++i)
    all.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  return all;
}

bool refers_to(const output_queue& queue, const core::shared_bytes& bytes) {
  std::array<iovec, 16> pieces{};
  const auto count = queue.gather(pieces.data(), pieces.size());
  for (std::size_t i = 0; i < count; ++i)
    if (pieces[i].iov_base == bytes.data())
      return true;
  return false;
}

TEST(MqttEncoder, RandomPacketsOfEveryTypeAndVersionComeBackAsTheyWere) {
  constexpr std::uint64_t seeds = 60;
  std::set<std::pair<version, packet_type>> seen;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    random_packets random{seed};
    for (int i = 0; i < 60; ++i)
      for (const auto by : versions)
        for (const auto from : {sender::client, sender::server}) {
          const auto packet = random.next(by, from);
          seen.emplace(by, type_of(packet));
          const auto bytes = encode_all(packet, by);
          const auto read = decode_all(bytes, by, from);
          ASSERT_TRUE(read) << "seed " << seed << ": " << to_string(read.broken)
                            << " in " << to_string(type_of(packet)) << " "
                            << hex(core::as_bytes(bytes));
          ASSERT_TRUE(read.value == packet)
              << "seed " << seed << " " << hex(core::as_bytes(bytes));
        }
  }
  // All but AUTH in the older two.
  EXPECT_EQ(seen.size(), 3U * 15U - 2U);
}

TEST(MqttEncoder, DiagnosticsAreLeftOutOfWhatWouldBeTooLarge) {
  puback packet;
  packet.id = packet_id{1};
  packet.reason = code::quota_exceeded;
  packet.reason_string = "full";
  packet.user = {{"k", "v"}};
  encoded_packet to;
  auto at = [&](std::size_t most) {
    return encode(to, packet, version::v5, most);
  };
  const std::size_t whole = 6 + 7 + 7;
  EXPECT_EQ(at(whole), encode_status::whole);
  EXPECT_EQ(to.size(), whole);
  EXPECT_EQ(at(whole - 1), encode_status::shortened);
  EXPECT_EQ(hex(to.head()),
            hex(core::as_bytes(bytes_of("40 0b 0001 97 07 1f 0004'full'"))));
  EXPECT_EQ(at(13), encode_status::shortened);
  EXPECT_EQ(at(12), encode_status::shortened);
  EXPECT_EQ(hex(to.head()), "4003000197");
  EXPECT_EQ(at(5), encode_status::shortened);
  EXPECT_EQ(at(4), encode_status::too_large);
}

TEST(MqttEncoder, PropertiesOfAPublicationAreNotLeftOut) {
  publish packet;
  packet.topic = "t";
  packet.properties.user = {{"k", "v"}};
  output_queue to;
  EXPECT_EQ(encode(to, packet, version::v5, 12), encode_status::too_large);
  EXPECT_TRUE(to.empty());
  EXPECT_EQ(encode(to, packet, version::v5, 13), encode_status::whole);
  EXPECT_EQ(to.size(), 13U);
}

TEST(MqttEncoder, FieldsLongerThanTheirLengthCanSayAreTooLarge) {
  const std::string longest(field_bytes_max, 'x');
  publish packet;
  packet.topic = longest;
  encoded_packet to;
  EXPECT_EQ(encode(to, packet, version::v3_1_1), encode_status::whole);
  const auto longer = longest + "x";
  packet.topic = longer;
  EXPECT_EQ(encode(to, packet, version::v3_1_1), encode_status::too_large);
}

TEST(MqttEncoder, WhatAVersionDoesNotHaveIsNotSent) {
  encoded_packet to;
  for (const auto by : {version::v3_1, version::v3_1_1}) {
    EXPECT_EQ(encode(to, auth{}, by), encode_status::not_in_version);
    EXPECT_EQ(encode(to, disconnect{code::server_shutting_down}, by),
              encode_status::not_in_version);
    EXPECT_EQ(encode(to, connack{false, code::malformed_packet}, by),
              encode_status::not_in_version);
  }
}

TEST(MqttEncoder, SessionPresentIsNotSaidIn31) {
  EXPECT_EQ(encode_all(connack{true}, version::v3_1), bytes_of("20 02 00 00"));
}

TEST(MqttEncoder, LargePayloadsAreReferencedByTheQueue) {
  publish packet;
  packet.topic = "t";
  packet.payload = core::shared_bytes::copy_of(std::string(5000, 'x'));
  output_queue to;
  ASSERT_EQ(encode(to, packet, version::v5), encode_status::whole);
  EXPECT_TRUE(refers_to(to, packet.payload));
  EXPECT_EQ(text_of(to), encode_all(packet, version::v5));
}

publish random_publish(random_packets& random, version by) {
  for (;;) {
    auto packet = std::get<publish>(
        random.next(packet_type::publish, by, sender::server));
    if (!packet.topic.empty())
      return packet;
  }
}

TEST(MqttOutgoingPublish, SaysTheSameAsThePacket) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    random_packets random{seed};
    for (const auto by : versions) {
      const auto packet = random_publish(random, by);
      outgoing_publish out{packet.topic, packet.properties, packet.payload};
      publish_terms terms{packet.level,           packet.duplicate,
                          packet.retain,          packet.id,
                          packet.topic_alias,     false,
                          packet.subscription_ids};
      output_queue to;
      ASSERT_EQ(out.append_to(to, by, terms), encode_status::whole);
      const auto bytes = text_of(to);
      ASSERT_EQ(bytes, encode_all(packet, by)) << "seed " << seed;
      EXPECT_EQ(out.size(by, terms), bytes.size());
      const auto pieces = out.pieces(by, terms);
      ASSERT_TRUE(pieces);
      EXPECT_EQ(std::string{(*pieces)[0].text()} +
                    std::string{(*pieces)[1].text()},
                bytes);
      EXPECT_EQ(out.append_to(to, by, terms, bytes.size() - 1),
                encode_status::too_large);
      EXPECT_FALSE(out.pieces(by, terms, bytes.size() - 1));
      EXPECT_EQ(to.size(), bytes.size());
    }
  }
}

TEST(MqttOutgoingPublish, SubscribersOfAVersionShareAFrame) {
  outgoing_publish out{"t", {}, core::shared_bytes::copy_of("x")};
  const auto first = out.pieces(version::v3_1, {});
  const auto second = out.pieces(version::v3_1_1, {});
  EXPECT_EQ((*first)[0].data(), (*second)[0].data());
  EXPECT_TRUE((*first)[1].empty());
  publish_terms retained;
  retained.retain = true;
  EXPECT_NE((*out.pieces(version::v3_1_1, retained))[0].data(),
            (*first)[0].data());
  EXPECT_EQ((*out.pieces(version::v5, {}))[0].data(),
            (*out.pieces(version::v5, {}))[0].data());
}

TEST(MqttOutgoingPublish, ThePayloadOfAThousandIsNeverCopied) {
  const auto payload = core::shared_bytes::copy_of(std::string(5000, 'x'));
  outgoing_publish out{"t", {}, payload};
  for (std::uint16_t i = 1; i <= 1000; ++i) {
    output_queue to;
    publish_terms terms;
    terms.level = i % 2 == 0 ? qos::at_most_once : qos::at_least_once;
    terms.id = packet_id{i % 2 == 0 ? std::uint16_t{0} : i};
    ASSERT_EQ(out.append_to(to, version::v5, terms), encode_status::whole);
    ASSERT_TRUE(refers_to(to, payload));
  }
}

TEST(MqttOutgoingPublish, AKnownAliasStandsForTheTopic) {
  outgoing_publish out{"some/topic", {}, core::shared_bytes::copy_of("x")};
  publish_terms terms;
  terms.topic_alias = std::uint16_t{5};
  terms.topic_known = true;
  output_queue to;
  ASSERT_EQ(out.append_to(to, version::v5, terms), encode_status::whole);
  EXPECT_EQ(hex(core::as_bytes(text_of(to))),
            hex(core::as_bytes(bytes_of("30 07 0000 03 230005 'x'"))));
}

TEST(MqttOutgoingPublish, TopicsThatAreTooLongAreTooLarge) {
  const std::string topic(field_bytes_max + 1, 't');
  outgoing_publish out{topic, {}, {}};
  output_queue to;
  EXPECT_EQ(out.append_to(to, version::v5, {}), encode_status::too_large);
  EXPECT_FALSE(out.pieces(version::v3_1_1, {}));
}

} // namespace
} // namespace troupe::net::mqtt
