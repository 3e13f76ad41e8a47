// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/version.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

/// MQTT 5's properties as a table (MQTT 5, 2.2.2.2): the only place that knows
/// which belongs where.
namespace troupe::net::mqtt {

enum class property : std::uint8_t {
  payload_format = 0x01,
  message_expiry = 0x02,
  content_type = 0x03,
  response_topic = 0x08,
  correlation_data = 0x09,
  subscription_identifier = 0x0B,
  session_expiry = 0x11,
  assigned_client_id = 0x12,
  server_keep_alive = 0x13,
  authentication_method = 0x15,
  authentication_data = 0x16,
  request_problem_information = 0x17,
  will_delay = 0x18,
  request_response_information = 0x19,
  response_information = 0x1A,
  server_reference = 0x1C,
  reason_string = 0x1F,
  receive_maximum = 0x21,
  topic_alias_maximum = 0x22,
  topic_alias = 0x23,
  maximum_qos = 0x24,
  retain_available = 0x25,
  user = 0x26,
  maximum_packet_size = 0x27,
  wildcard_available = 0x28,
  subscription_ids_available = 0x29,
  shared_available = 0x2A,
};

enum class property_type : std::uint8_t {
  byte,
  two_bytes,
  four_bytes,
  variable,
  text,
  binary,
  text_pair,
};

/// A set of packets as bits: 1 << packet_type, and bit 0 for the will.
using packet_set = std::uint32_t;
inline constexpr packet_set in_will = 1;
[[nodiscard]] constexpr packet_set inside(packet_type type) noexcept {
  return packet_set{1} << static_cast<unsigned>(type);
}

struct property_info {
  property id;
  std::string_view name; ///< as the specification has it
  property_type type;
  packet_set where;
  packet_set may_repeat = 0; ///< where it may be there more than once
  std::uint32_t least = 0;   ///< of a number
  std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
};

/// nullptr for numbers that are no property.
[[nodiscard]] const property_info* find_property(std::uint32_t id) noexcept;

/// All of them, ascending by number.
[[nodiscard]] std::span<const property_info> all_properties() noexcept;

} // namespace troupe::net::mqtt
