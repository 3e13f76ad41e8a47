// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/version.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::net::mqtt {

/// What MQTT 5 says of the outcome of a packet (MQTT 5, 2.4); the other
/// versions say some of it in other numbers. One number has several meanings:
/// see the aliases at the end.
enum class reason_code : std::uint8_t {
  success = 0x00,
  granted_qos_1 = 0x01,
  granted_qos_2 = 0x02,
  disconnect_with_will = 0x04,
  no_matching_subscribers = 0x10,
  no_subscription_existed = 0x11,
  continue_authentication = 0x18,
  reauthenticate = 0x19,
  unspecified_error = 0x80, ///< from here on: a failure
  malformed_packet = 0x81,
  protocol_error = 0x82,
  implementation_specific_error = 0x83,
  unsupported_protocol_version = 0x84,
  client_identifier_not_valid = 0x85,
  bad_user_name_or_password = 0x86,
  not_authorized = 0x87,
  server_unavailable = 0x88,
  server_busy = 0x89,
  banned = 0x8A,
  server_shutting_down = 0x8B,
  bad_authentication_method = 0x8C,
  keep_alive_timeout = 0x8D,
  session_taken_over = 0x8E,
  topic_filter_invalid = 0x8F,
  topic_name_invalid = 0x90,
  packet_identifier_in_use = 0x91,
  packet_identifier_not_found = 0x92,
  receive_maximum_exceeded = 0x93,
  topic_alias_invalid = 0x94,
  packet_too_large = 0x95,
  message_rate_too_high = 0x96,
  quota_exceeded = 0x97,
  administrative_action = 0x98,
  payload_format_invalid = 0x99,
  retain_not_supported = 0x9A,
  qos_not_supported = 0x9B,
  use_another_server = 0x9C,
  server_moved = 0x9D,
  shared_subscriptions_not_supported = 0x9E,
  connection_rate_exceeded = 0x9F,
  maximum_connect_time = 0xA0,
  subscription_identifiers_not_supported = 0xA1,
  wildcard_subscriptions_not_supported = 0xA2,

  normal_disconnection = success,
  granted_qos_0 = success,
};

[[nodiscard]] constexpr bool is_failure(reason_code code) noexcept {
  return static_cast<std::uint8_t>(code) >= 0x80;
}

/// A few words, without the packet's name: "not authorized".
[[nodiscard]] std::string_view to_string(reason_code code) noexcept;

/// Whether a packet of this type may carry the code when `from` sends it
/// (MQTT 5, 2.4 and the tables of each packet). False for numbers that mean
/// nothing.
[[nodiscard]] bool may_carry(packet_type type, reason_code code,
                             sender from) noexcept;

/// CONNACK's return code of MQTT 3.1 and 3.1.1.
enum class connect_return : std::uint8_t {
  accepted = 0,
  unacceptable_protocol_version = 1,
  identifier_rejected = 2,
  server_unavailable = 3,
  bad_user_name_or_password = 4,
  not_authorized = 5,
};

/// How 3.1 and 3.1.1 say it in a CONNACK. Nothing: they have no code for it,
/// and the connection is closed without a CONNACK [MQTT-3.2.2-6].
[[nodiscard]] std::optional<connect_return>
connect_return_of(reason_code code) noexcept;
[[nodiscard]] reason_code reason_of(connect_return code) noexcept;

/// How 3.1 and 3.1.1 say it in a SUBACK: the granted QoS, or 0x80 for all that
/// failed. (3.1 knows no failure; its clients get 0x80 as well.)
[[nodiscard]] constexpr std::uint8_t suback_return_of(reason_code code) {
  return is_failure(code) ? 0x80 : static_cast<std::uint8_t>(code);
}

} // namespace troupe::net::mqtt
