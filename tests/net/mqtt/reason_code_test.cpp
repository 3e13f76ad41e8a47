// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/property_table.hpp"
#include "net/mqtt/reason_code.hpp"

#include <gtest/gtest.h>

#include <set>

namespace troupe::net::mqtt {
namespace {

using code = reason_code;

TEST(MqttReasonCode, EveryCodeHasATextOfItsOwnAndAPacket) {
  std::set<std::string_view> texts;
  int known = 0;
  for (unsigned number = 0; number < 256; ++number) {
    const reason_code each{static_cast<std::uint8_t>(number)};
    if (to_string(each) == "unknown reason")
      continue;
    ++known;
    EXPECT_TRUE(texts.insert(to_string(each)).second) << number;
    bool anywhere = false;
    for (unsigned type = 1; type < 16; ++type)
      for (const auto from : {sender::client, sender::server})
        anywhere =
            anywhere || may_carry(static_cast<packet_type>(type), each, from);
    EXPECT_TRUE(anywhere) << number;
  }
  EXPECT_EQ(known, 43);
}

TEST(MqttReasonCode, OlderVersionsHaveFiveRefusals) {
  for (std::uint8_t number = 0; number <= 5; ++number)
    EXPECT_EQ(connect_return_of(reason_of(connect_return{number})),
              connect_return{number});
  EXPECT_EQ(connect_return_of(code::banned), connect_return::not_authorized);
  EXPECT_EQ(connect_return_of(code::server_busy),
            connect_return::server_unavailable);
  EXPECT_FALSE(connect_return_of(code::malformed_packet));
}

TEST(MqttReasonCode, SubackOfOlderVersionsKnowsOneFailure) {
  EXPECT_EQ(suback_return_of(code::granted_qos_2), 2);
  EXPECT_EQ(suback_return_of(code::not_authorized), 0x80);
  EXPECT_EQ(suback_return_of(code::topic_filter_invalid), 0x80);
}

TEST(MqttPropertyTable, HasAllPropertiesOnceAndInOrder) {
  std::uint32_t last = 0;
  for (const auto& each : all_properties()) {
    const auto id = static_cast<std::uint32_t>(each.id);
    EXPECT_GT(id, last);
    last = id;
    EXPECT_EQ(find_property(id), &each);
    EXPECT_NE(each.where, 0U);
    EXPECT_EQ(each.may_repeat & ~each.where, 0U);
  }
  EXPECT_EQ(all_properties().size(), 27U);
  for (const auto none : {0U, 4U, 0x2BU, 0x7FU, 0xFFFFFFFFU})
    EXPECT_EQ(find_property(none), nullptr);
}

} // namespace
} // namespace troupe::net::mqtt
