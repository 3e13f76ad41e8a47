// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/property_members.hpp"
#include "net/mqtt/property_table.hpp"
#include "net/mqtt/version.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// Fields to bytes. Every packet is written twice by the same code: to a
/// field_counter, which says how large it is, then to a field_writer, which
/// has exactly that room.
namespace troupe::net::mqtt {

[[nodiscard]] constexpr std::size_t variable_bytes(std::size_t value) noexcept {
  return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

class field_counter {
public:
  void byte(unsigned) noexcept { ++bytes_; }
  void two_bytes(std::uint32_t) noexcept { bytes_ += 2; }
  void four_bytes(std::uint32_t) noexcept { bytes_ += 4; }
  void variable(std::size_t value) noexcept { bytes_ += variable_bytes(value); }
  void field(std::string_view value) noexcept {
    bytes_ += 2 + value.size();
    too_long_ = too_long_ || value.size() > field_bytes_max;
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// A field is longer than its length can say.
  [[nodiscard]] bool too_long() const noexcept { return too_long_; }

private:
  std::size_t bytes_ = 0;
  bool too_long_ = false;
};

/// REQUIRES: the room that a field_counter has counted.
class field_writer {
public:
  explicit field_writer(std::byte* to) noexcept : at_(to) {}

  void byte(unsigned value) noexcept { *at_++ = std::byte(value & 0xFFU); }
  void two_bytes(std::uint32_t value) noexcept {
    byte(value >> 8U);
    byte(value);
  }
  void four_bytes(std::uint32_t value) noexcept {
    two_bytes(value >> 16U);
    two_bytes(value & 0xFFFFU);
  }
  void variable(std::size_t value) noexcept {
    for (; value >= 128; value >>= 7U)
      byte(static_cast<unsigned>(value & 0x7FU) | 0x80U);
    byte(static_cast<unsigned>(value));
  }
  /// A length and bytes.
  void field(std::string_view value) noexcept {
    two_bytes(static_cast<std::uint32_t>(value.size()));
    raw(value);
  }
  void raw(std::string_view value) noexcept {
    if (!value.empty())
      std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }
  [[nodiscard]] std::byte* at() const noexcept { return at_; }

private:
  std::byte* at_;
};

/// What is left out of a packet that would be too large.
enum class omission : std::uint8_t {
  nothing,
  users,       ///< user properties
  diagnostics, ///< those and the reason string
};

/// Writes properties to a sink, with identifiers, as the table has them.
template <class Sink>
class property_writer {
public:
  property_writer(Sink& to, omission omit) : to_(to), omit_(omit) {}

  template <class Value>
  void operator()(property id, const std::optional<Value>& value) {
    if (value &&
        !(id == property::reason_string && omit_ == omission::diagnostics))
      put(id, *value);
  }
  void operator()(property id, const std::vector<std::uint32_t>& values) {
    for (const auto value : values)
      put(id, value);
  }
  void operator()(property id, const user_properties& values) {
    if (omit_ != omission::nothing)
      return;
    for (const auto& [name, value] : values) {
      to_.byte(static_cast<unsigned>(id));
      to_.field(name);
      to_.field(value);
    }
  }

  void put(property id, std::uint32_t value) {
    to_.byte(static_cast<unsigned>(id));
    switch (find_property(static_cast<std::uint32_t>(id))->type) {
    case property_type::byte:
      return to_.byte(value);
    case property_type::two_bytes:
      return to_.two_bytes(value);
    case property_type::four_bytes:
      return to_.four_bytes(value);
    default:
      return to_.variable(value);
    }
  }
  void put(property id, bool value) { put(id, std::uint32_t{value}); }
  void put(property id, std::uint16_t value) { put(id, std::uint32_t{value}); }
  void put(property id, qos value) {
    put(id, static_cast<std::uint32_t>(value));
  }
  void put(property id, seconds value) { put(id, value.count()); }
  void put(property id, std::string_view value) {
    to_.byte(static_cast<unsigned>(id));
    to_.field(value);
  }
  void put(property id, const core::shared_bytes& value) {
    put(id, value.text());
  }

private:
  Sink& to_;
  omission omit_;
};

/// The properties alone, without their length.
template <class Sink, class Packet>
void write_properties(Sink& to, const Packet& of,
                      omission omit = omission::nothing) {
  each_property(of, property_writer<Sink>{to, omit});
}

template <class Packet>
[[nodiscard]] std::size_t properties_bytes(const Packet& of, omission omit) {
  field_counter count;
  write_properties(count, of, omit);
  return count.bytes();
}

/// With their length.
template <class Sink, class Packet>
void write_property_list(Sink& to, const Packet& of, omission omit) {
  to.variable(properties_bytes(of, omit));
  write_properties(to, of, omit);
}

} // namespace troupe::net::mqtt
