// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/assert.hpp"
#include "core/command.hpp"
#include "core/errc.hpp"
#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

/// Conversions that the _wire.cpp files of this folder share. Templates over
/// the generated readers and builders, so that this header needs none of them.
namespace troupe::schema {

/// What a realm is if it is not written (the default in the .capnp files).
inline constexpr std::string_view default_realm = "default";

template <class Data>
[[nodiscard]] std::string to_string(const Data& data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

/// With the size, the arguments of a capnp::Data::Reader.
[[nodiscard]] inline const unsigned char*
bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// Size of a list to be written.
[[nodiscard]] inline unsigned list_size(std::size_t elements) {
  TROUPE_ASSERT(elements < std::size_t{1} << 29,
                "too large for a Cap'n Proto list");
  return static_cast<unsigned>(elements);
}

/// -1 stands for "none".
[[nodiscard]] inline std::int16_t
from_optional(const std::optional<core::device_offset>& device) noexcept {
  return device ? std::int16_t{device->value()} : std::int16_t{-1};
}
/// False if the number is neither an offset nor -1.
[[nodiscard]] inline bool
to_optional(std::int16_t number,
            std::optional<core::device_offset>& device) noexcept {
  if (number < -1 || number > std::numeric_limits<std::uint8_t>::max())
    return false;
  if (number >= 0)
    device = core::device_offset{static_cast<std::uint8_t>(number)};
  return true;
}

template <class Builder>
void write_owner(const core::owner& from, Builder to) {
  if (from.realm != default_realm)
    to.setRealm({bytes_of(from.realm), from.realm.size()});
  to.setKind(static_cast<std::uint8_t>(from.kind));
  to.setName({bytes_of(from.name), from.name.size()});
}
template <class Reader>
[[nodiscard]] core::errc read_owner(Reader from, core::owner& to) {
  if (from.getKind() > static_cast<std::uint8_t>(core::owner_kind::session))
    return core::errc::newer_format;
  to.realm = to_string(from.getRealm());
  to.kind = static_cast<core::owner_kind>(from.getKind());
  to.name = to_string(from.getName());
  return core::errc::ok;
}

template <class Builder>
void write_policy(const core::inbox_policy& from, Builder to) {
  to.setMessagesMax(from.messages_max);
  to.setBytesMax(from.bytes_max);
  to.setOverflow(static_cast<std::uint8_t>(from.overflow));
  to.setDefaultTimeToLive(from.default_time_to_live.count());
  to.setDeviceInactiveAfter(from.device_inactive_after.count());
  to.setUserInactiveAfter(from.user_inactive_after.count());
  to.setDeduplicationWindow(from.deduplication_window.count());
}
template <class Reader>
[[nodiscard]] core::errc read_policy(Reader from, core::inbox_policy& to) {
  if (from.getOverflow() >
      static_cast<std::uint8_t>(core::overflow_policy::drop_oldest))
    return core::errc::newer_format;
  to.messages_max = from.getMessagesMax();
  to.bytes_max = from.getBytesMax();
  to.overflow = static_cast<core::overflow_policy>(from.getOverflow());
  to.default_time_to_live = core::milliseconds{from.getDefaultTimeToLive()};
  to.device_inactive_after = core::milliseconds{from.getDeviceInactiveAfter()};
  to.user_inactive_after = core::milliseconds{from.getUserInactiveAfter()};
  to.deduplication_window = core::milliseconds{from.getDeduplicationWindow()};
  return core::errc::ok;
}

} // namespace troupe::schema
