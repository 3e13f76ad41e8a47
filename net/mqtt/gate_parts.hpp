// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/gate.hpp"

#include <string>

/// What the sources of a gate share and nobody else needs.
namespace troupe::net::mqtt {

/// A will, as it will be published.
struct gate::kept_will {
  core::publication what;
  std::string shown; ///< the topic, in the client's spelling
};

/// What a CONNECT asks for, until it is answered.
struct gate::arrival {
  bool clean_start = true;
  bool assigned_id = false;
  bool response_information = false;
  seconds asked_keep_alive{};
  seconds keep_alive{}; ///< as granted
  std::optional<seconds> session_expiry{};
  std::uint16_t receive_maximum = 65'535;
  std::uint16_t topic_alias_maximum = 0;
  std::string uid; ///< once it is known
};

/// What a client of MQTT 5 is told that may not do something.
[[nodiscard]] reason_code reason_of(core::deny_reason why) noexcept;

} // namespace troupe::net::mqtt
