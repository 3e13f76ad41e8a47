// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The few packets of MQTT 3.1.1 that a load needs, as cheap as can be: what a
/// generator spends is missing for the broker beside it. Not Troupe's codec, so
/// that no mistake is on both sides.
namespace troupe::bench {

inline constexpr unsigned connack_type = 2;
inline constexpr unsigned publish_type = 3;
inline constexpr unsigned puback_type = 4;
inline constexpr unsigned suback_type = 9;

inline void write_number(std::string& to, std::size_t number) {
  to.push_back(static_cast<char>(number >> 8U));
  to.push_back(static_cast<char>(number & 0xFFU));
}
inline void write_text(std::string& to, std::string_view text) {
  write_number(to, text.size());
  to.append(text);
}
inline void write_head(std::string& to, unsigned first, std::size_t length) {
  to.push_back(static_cast<char>(first));
  do {
    const auto more = length > 127 ? 128U : 0U;
    to.push_back(static_cast<char>((length & 127U) | more));
    length >>= 7U;
  } while (length > 0);
}

/// Keep alive of a minute.
inline void write_connect(std::string& to, std::string_view client_id,
                          bool clean = true) {
  write_head(to, 0x10, 12 + client_id.size());
  write_text(to, "MQTT");
  to.append(clean ? "\x04\x02" : "\x04\x00", 2);
  write_number(to, 60);
  write_text(to, client_id);
}

inline void write_subscribe(std::string& to, std::size_t packet,
                            const std::vector<std::string>& filters,
                            unsigned qos) {
  std::size_t length = 2;
  for (const auto& each : filters)
    length += 3 + each.size();
  write_head(to, 0x82, length);
  write_number(to, packet);
  for (const auto& each : filters) {
    write_text(to, each);
    to.push_back(static_cast<char>(qos));
  }
}

inline void write_publish(std::string& to, std::string_view topic,
                          std::string_view payload, unsigned qos,
                          std::size_t packet) {
  write_head(to, 0x30U | (qos << 1U),
             2 + topic.size() + (qos > 0 ? 2 : 0) + payload.size());
  write_text(to, topic);
  if (qos > 0)
    write_number(to, packet);
  to.append(payload);
}

inline void write_puback(std::string& to, std::size_t packet) {
  to.append("\x40\x02", 2);
  write_number(to, packet);
}

struct frame {
  unsigned type = 0;
  std::size_t bytes = 0;    ///< of it as a whole
  std::size_t packet = 0;   ///< of a PUBLISH; 0: QoS 0
  std::string_view payload; ///< of a PUBLISH
};

/// Nothing if there is no whole one. Trusts the broker to send what it should.
inline std::optional<frame> first_frame(std::string_view bytes) {
  std::size_t length = 0;
  std::size_t at = 1;
  for (unsigned shift = 0;; shift += 7, ++at) {
    if (at >= bytes.size())
      return std::nullopt;
    const auto byte = static_cast<unsigned char>(bytes[at]);
    length |= static_cast<std::size_t>(byte & 127U) << shift;
    if (byte < 128)
      break;
  }
  ++at;
  if (bytes.size() < at + length)
    return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[0]);
  frame found{static_cast<unsigned>(first) >> 4U, at + length, 0, {}};
  if (found.type != publish_type)
    return found;
  auto rest = bytes.substr(at, length);
  const auto number = [&](std::size_t from) {
    return static_cast<std::size_t>(static_cast<unsigned char>(rest[from]))
               << 8U |
           static_cast<unsigned char>(rest[from + 1]);
  };
  rest.remove_prefix(2 + number(0));
  if ((first & 6U) != 0) {
    found.packet = number(0);
    rest.remove_prefix(2);
  }
  found.payload = rest;
  return found;
}

} // namespace troupe::bench
