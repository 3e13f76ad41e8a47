// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/crossing.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <gtest/gtest.h>

namespace troupe::net::mqtt {
namespace {

TEST(MqttCrossing, WhatBeginsToWaitHasWhatIsLeftOfItsExpiry) {
  const auto published = core::from_millis(1'700'000'000'000);
  message_properties properties;
  properties.expiry = seconds{100};
  properties.user = {{"k", "v"}, {":expiry", "mine"}};
  auto what = publication_of(*parse_topic("a"), qos::at_least_once, true,
                             properties, {});
  what.number = 1'700'000'000'000'000;
  auto later = what;
  lessen_expiry(later, published + core::milliseconds{60'500});
  properties.expiry = seconds{40};
  EXPECT_EQ(properties_of(later), properties);
  lessen_expiry(what, published + core::milliseconds{1'000'000});
  EXPECT_EQ(marks_of(what).expiry, seconds{0});
}

TEST(MqttCrossing, WhatDoesNotExpireStaysAsItIs) {
  auto what = publication_of(*parse_topic("a"), qos::at_least_once, true, {},
                             core::shared_bytes::copy_of("x"));
  const auto before = what.headers;
  lessen_expiry(what, core::from_millis(1'700'000'000'000));
  EXPECT_EQ(what.headers, before);
}

} // namespace
} // namespace troupe::net::mqtt
