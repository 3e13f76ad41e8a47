// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/decoder.hpp"
#include "net/mqtt/encoder.hpp"
#include "net/mqtt/rules.hpp"
#include "tests/net/mqtt/sample_packets.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace troupe::net::mqtt {
namespace {

using namespace test;
using status = frame::status;
using code = reason_code;

TEST(MqttCodec, BytesBecomeThePacket) {
  for (const auto& each : samples()) {
    const auto read = decode_all(each.bytes, each.by, each.from);
    EXPECT_TRUE(read) << each.name << ": " << to_string(read.broken);
    EXPECT_TRUE(read.value == each.packet) << each.name;
  }
}

TEST(MqttCodec, ThePacketBecomesItsBytes) {
  for (const auto& each : samples())
    EXPECT_EQ(hex(core::as_bytes(encode_all(each.packet, each.by))),
              hex(core::as_bytes(each.bytes)))
        << each.name;
}

TEST(MqttCodec, SamplesHaveEveryType) {
  std::set<packet_type> seen;
  std::set<std::string_view> names;
  for (const auto& each : samples()) {
    seen.insert(type_of(each.packet));
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
  }
  EXPECT_EQ(seen.size(), 15U);
}

TEST(MqttCodec, WhatIsWrongIsNamedWithItsClause) {
  std::set<std::string_view> names;
  for (const auto& each : bad_samples()) {
    const auto read = decode_all(each.bytes, each.by, each.from);
    EXPECT_FALSE(read) << each.name;
    EXPECT_EQ(to_string(read.broken), each.text) << each.name;
    EXPECT_EQ(to_string(read.broken.reason), to_string(each.reason))
        << each.name;
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
  }
}

TEST(MqttCodec, EveryPacketCutShortIsRefused) {
  for (const auto& each : samples()) {
    const auto whole = decode_frame(core::as_bytes(each.bytes),
                                    packet_bytes_unbounded, each.by);
    for (std::size_t left = 0; left < whole.body.size(); ++left) {
      auto cut = whole;
      cut.body = whole.body.first(left);
      const auto read = decode(cut, {each.by, each.from});
      // A payload may be shorter; a reason, a password of 3.1 and all that
      // MQTT 5 lets an answer leave out may be missing.
      EXPECT_FALSE(read && read.value == each.packet)
          << each.name << " " << left;
    }
  }
}

TEST(MqttCodec, ByteByByteIsTheSameAsAtOnce) {
  for (const auto& each : samples()) {
    const auto all = core::as_bytes(each.bytes);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto early =
          decode_frame(all.first(i), packet_bytes_unbounded, each.by);
      ASSERT_EQ(early.what, status::need_more) << each.name << " " << i;
      // The remaining length tells as soon as it is there.
      EXPECT_EQ(early.bytes, i < 2 ? 0 : all.size()) << each.name;
    }
    // What follows is left alone.
    const auto more = each.bytes + "\xff";
    const auto whole =
        decode_frame(core::as_bytes(more), packet_bytes_unbounded, each.by);
    ASSERT_EQ(whole.what, status::packet) << each.name;
    EXPECT_EQ(whole.bytes, each.bytes.size()) << each.name;
    EXPECT_TRUE(decode(whole, {each.by, each.from}).value == each.packet)
        << each.name;
  }
}

TEST(MqttCodec, MaximumPacketSizeIsEnforcedByTheHeaderAlone) {
  const auto header = bytes_of("30 8008"); // 3 + 1024 bytes
  const auto in = core::as_bytes(header);
  EXPECT_EQ(decode_frame(in, 1027).bytes, 1027U);
  EXPECT_EQ(decode_frame(in, 1027).what, status::need_more);
  const auto refused = decode_frame(in, 1026);
  EXPECT_EQ(refused.what, status::violation);
  EXPECT_EQ(refused.broken.reason, code::packet_too_large);
  EXPECT_EQ(to_string(refused.broken),
            "[MQTT-3.2.2-15] larger than the maximum packet size: PUBLISH");
}

TEST(MqttCodec, PaddedRemainingLengthIsTakenBeforeMqtt5) {
  const auto bytes = bytes_of("30 8400 0001't' 'x'");
  EXPECT_TRUE(decode_all(bytes, version::v3_1_1, sender::client));
  EXPECT_FALSE(decode_all(bytes, version::v5, sender::client));
  EXPECT_EQ(encode_all(decode_all(bytes, version::v3_1_1, sender::client).value,
                       version::v3_1_1),
            bytes_of("30 04 0001't' 'x'"));
}

TEST(MqttCodec, LongClientIdsAreTakenIn31) {
  connect packet;
  packet.protocol = version::v3_1;
  const std::string name(24, 'c');
  packet.client_id = name;
  const auto bytes = encode_all(packet, version::v3_1);
  const auto read = decode_all(bytes, version::v3_1, sender::client);
  ASSERT_TRUE(read) << to_string(read.broken);
  EXPECT_TRUE(read.value == any_packet{packet});
}

TEST(MqttCodec, Old31ClientsMayAnnounceAUserNameAndLeaveItOut) {
  const auto read =
      decode_all(bytes_of("10 10 0006'MQIsdp' 03 c2 003c 0002'c1'"),
                 version::v3_1, sender::client);
  ASSERT_TRUE(read) << to_string(read.broken);
  EXPECT_FALSE(std::get<connect>(read.value).user_name);
  EXPECT_FALSE(std::get<connect>(read.value).password);
}

TEST(MqttCodec, ConnectSaysItsVersionItself) {
  for (const auto& each : samples()) {
    if (type_of(each.packet) != packet_type::connect)
      continue;
    const auto other = each.by == version::v5 ? version::v3_1 : version::v5;
    const auto read = decode_all(each.bytes, other, each.from);
    ASSERT_TRUE(read) << each.name;
    EXPECT_TRUE(read.value == each.packet) << each.name;
    const auto whole =
        decode_frame(core::as_bytes(each.bytes), packet_bytes_unbounded);
    EXPECT_EQ(version_of(whole), each.by) << each.name;
  }
}

TEST(MqttCodec, VersionOfABadConnectIsKnown) {
  const auto bytes = bytes_of("10 0e 0004'MQTT' 04 03 003c 0002'c1'");
  const auto whole =
      decode_frame(core::as_bytes(bytes), packet_bytes_unbounded);
  EXPECT_EQ(version_of(whole), version::v3_1_1);
  const auto unknown = bytes_of("10 0e 0004'MQTT' 07 03 003c 0002'c1'");
  EXPECT_FALSE(version_of(
      decode_frame(core::as_bytes(unknown), packet_bytes_unbounded)));
}

TEST(MqttCodec, BoundsOfAPacketAreKept) {
  decode_limits limits;
  limits.user_properties_max = 1;
  limits.filters_max = 1;
  const auto one = decode_all(bytes_of("30 0b 0001't' 07 26 0001'k' 0001'v'"),
                              version::v5, sender::client, limits);
  EXPECT_TRUE(one) << to_string(one.broken);
  const auto two = decode_all(
      bytes_of("30 12 0001't' 0e 26 0001'k' 0001'v' 26 0001'k' 0001'v'"),
      version::v5, sender::client, limits);
  EXPECT_EQ(two.broken.reason, code::quota_exceeded);
  EXPECT_EQ(to_string(two.broken),
            "[4.13] more than the broker takes in one packet: user property");
  const auto filters =
      decode_all(bytes_of("82 0c 0001 0003'a/#' 01 0001'+' 00"),
                 version::v3_1_1, sender::client, limits);
  EXPECT_EQ(filters.broken.reason, code::quota_exceeded);
}

TEST(MqttCodec, LargePayloadsOfABlockAreSlicesAndSmallOnesCopies) {
  auto keeps = [](std::size_t payload, std::size_t block) {
    publish packet;
    packet.topic = "t";
    packet.payload = core::shared_bytes::copy_of(std::string(payload, 'x'));
    const auto bytes = encode_all(packet, version::v3_1_1);
    const auto owner =
        core::shared_bytes::copy_of(bytes + std::string(block, ' '));
    const auto whole = decode_frame(owner.view(), packet_bytes_unbounded);
    const auto read =
        decode(whole, {version::v3_1_1, sender::client, &owner, {}});
    EXPECT_TRUE(read.value == any_packet{packet});
    const auto& kept = std::get<publish>(read.value).payload;
    return kept.data() >= owner.data() &&
           kept.data() < owner.data() + owner.size();
  };
  EXPECT_FALSE(keeps(2047, 0));
  EXPECT_TRUE(keeps(2048, 0));
  EXPECT_TRUE(keeps(20000, 1000));
  EXPECT_FALSE(keeps(2048, 20000)); // would hold ten times its size
}

TEST(MqttCodec, EveryRuleIsBrokenByASample) {
  std::set<std::string_view> broken;
  for (const auto& each : bad_samples())
    broken.insert(decode_all(each.bytes, each.by, each.from).broken.text);
  // too_large and too_many have tests of their own.
  for (const auto& which : {rules::reserved_type,
                            rules::fixed_flags,
                            rules::publish_qos_3,
                            rules::duplicate_qos_0,
                            rules::long_length,
                            rules::padded_length,
                            rules::ends_early,
                            rules::goes_on,
                            rules::ill_formed,
                            rules::has_nul,
                            rules::id_zero,
                            rules::wrong_sender,
                            rules::reason_not_here,
                            rules::unknown_property,
                            rules::property_not_here,
                            rules::property_twice,
                            rules::property_length,
                            rules::property_value,
                            rules::alias_zero,
                            rules::data_without_method,
                            rules::protocol_name,
                            rules::protocol_level,
                            rules::connect_flag,
                            rules::will_qos_3,
                            rules::will_qos,
                            rules::will_retain,
                            rules::password_alone,
                            rules::client_id_empty,
                            rules::client_id_empty_3_1,
                            rules::connack_flags,
                            rules::connack_code,
                            rules::session_of_refused,
                            rules::topic_wildcard,
                            rules::will_wildcard,
                            rules::response_wildcard,
                            rules::topic_empty,
                            rules::topic_missing,
                            rules::subscription_id_from_client,
                            rules::subscribe_empty,
                            rules::unsubscribe_empty,
                            rules::filter_empty,
                            rules::option_bits,
                            rules::option_qos_3,
                            rules::option_retain,
                            rules::no_local_shared,
                            rules::suback_code,
                            rules::suback_empty,
                            rules::expiry_from_server,
                            rules::reference_from_client,
                            rules::not_in_version,
                            rules::auth_without_method})
    EXPECT_TRUE(broken.contains(which.text)) << which.text;
}

} // namespace
} // namespace troupe::net::mqtt
