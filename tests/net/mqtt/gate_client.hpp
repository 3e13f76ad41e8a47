// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/net/mqtt/gate_driver.hpp"

namespace troupe::net::mqtt::test {

inline constexpr auto q0 = qos::at_most_once;
inline constexpr auto q1 = qos::at_least_once;
inline constexpr auto q2 = qos::exactly_once;

/// A CONNECT of a client that takes no more at once.
inline connect limited(std::uint16_t receive_maximum,
                       version by = version::v5) {
  connect asked;
  asked.protocol = by;
  asked.client_id = "me";
  asked.receive_maximum = receive_maximum;
  return asked;
}

/// A gate whose client has come in.
struct client : gate_driver {
  explicit client(version by = version::v5, mqtt_options how = {})
      : gate_driver(std::move(how)) {
    come(by);
    take();
  }
  explicit client(const connect& asked, mqtt_options how = {})
      : gate_driver(std::move(how)) {
    say(asked);
    take();
  }
  void unhear(std::string_view filter) {
    unsubscribe asked;
    asked.id = packet_id{2000};
    asked.filters.push_back(filter);
    say(asked);
  }
};

} // namespace troupe::net::mqtt::test
