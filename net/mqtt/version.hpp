// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The few words that all of MQTT's packets share.
namespace troupe::net::mqtt {

/// The protocol level of a CONNECT; ascends with the versions.
enum class version : std::uint8_t {
  v3_1 = 3, ///< "MQIsdp"
  v3_1_1 = 4,
  v5 = 5,
};

/// As operators know it: "3.1", "3.1.1", "5".
[[nodiscard]] constexpr std::string_view to_string(version which) noexcept {
  return which == version::v5 ? "5" : which == version::v3_1 ? "3.1" : "3.1.1";
}

/// Who sends a packet, or may.
enum class sender : std::uint8_t { client, server };

/// Numbers are those of the fixed header; 0 is reserved.
enum class packet_type : std::uint8_t {
  connect = 1,
  connack = 2,
  publish = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  subscribe = 8,
  suback = 9,
  unsubscribe = 10,
  unsuback = 11,
  pingreq = 12,
  pingresp = 13,
  disconnect = 14,
  auth = 15, ///< MQTT 5 only
};

/// As the specification spells it: "PUBLISH".
[[nodiscard]] std::string_view to_string(packet_type type) noexcept;

/// How hard delivery is tried.
enum class qos : std::uint8_t {
  at_most_once = 0,
  at_least_once = 1,
  exactly_once = 2,
};

/// The longest string, topic or binary field; the length has two bytes.
inline constexpr std::size_t field_bytes_max = 65535;
/// What a variable byte integer can say, hence the longest remaining length.
inline constexpr std::uint32_t variable_integer_max = 268'435'455;
/// Type, flags and remaining length.
inline constexpr std::size_t fixed_header_bytes_max = 5;

} // namespace troupe::net::mqtt
