// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/field_reader.hpp"
#include "net/mqtt/property_members.hpp"
#include "net/mqtt/property_table.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::net::mqtt {

/// One property as it was read; which of the values counts says its type.
struct property_value {
  const property_info* info = nullptr;
  std::uint32_t number = 0;
  std::string_view first{};  ///< text, binary, name of a user property
  std::string_view second{}; ///< value of a user property
};

/// Reads a packet's list of properties and checks each against the table. What
/// is wrong is noted in the packet's reader.
class property_reader {
public:
  /// Reads the length. `where` is the packet, as a set of one, or in_will.
  property_reader(field_reader& packet, packet_set where, sender from,
                  std::size_t user_properties_max);

  /// False at the end, also that of a list that is wrong.
  [[nodiscard]] bool next(property_value& to);

  [[nodiscard]] core::shared_bytes keep(std::string_view bytes) const {
    return list_.keep(core::as_bytes(bytes));
  }

private:
  bool fail(const violation& what);
  void read_value(property_value& to);
  [[nodiscard]] const rule* broken_by(const property_value& read);

  field_reader& packet_;
  field_reader list_;
  std::uint64_t seen_ = 0; // a bit a property
  std::size_t users_left_;
  packet_set where_;
  sender from_;
};

// How a value gets into a member of each type.
inline void store(std::optional<bool>& to, const property_value& from,
                  const property_reader&) {
  to = from.number != 0;
}
inline void store(std::optional<std::uint16_t>& to, const property_value& from,
                  const property_reader&) {
  to = static_cast<std::uint16_t>(from.number);
}
inline void store(std::optional<std::uint32_t>& to, const property_value& from,
                  const property_reader&) {
  to = from.number;
}
inline void store(std::optional<seconds>& to, const property_value& from,
                  const property_reader&) {
  to = seconds{from.number};
}
inline void store(std::optional<qos>& to, const property_value& from,
                  const property_reader&) {
  to = static_cast<qos>(from.number);
}
inline void store(std::optional<std::string_view>& to,
                  const property_value& from, const property_reader&) {
  to = from.first;
}
inline void store(std::optional<core::shared_bytes>& to,
                  const property_value& from, const property_reader& reader) {
  to = reader.keep(from.first);
}
inline void store(std::vector<std::uint32_t>& to, const property_value& from,
                  const property_reader&) {
  to.push_back(from.number);
}
inline void store(user_properties& to, const property_value& from,
                  const property_reader&) {
  to.emplace_back(from.first, from.second);
}

/// Reads all of them into the members of a packet or a will.
template <class Packet>
void read_properties(field_reader& in, packet_set where, sender from,
                     std::size_t user_properties_max, Packet& to) {
  property_reader reader{in, where, from, user_properties_max};
  property_value read;
  while (reader.next(read))
    each_property(to, [&](property which, auto& member) {
      if (which == read.info->id)
        store(member, read, reader);
    });
}

} // namespace troupe::net::mqtt
