// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The rows of the state environment (docs/formats/state.md).
namespace troupe::storage {

inline constexpr std::uint32_t state_format_version = 1;

/// A group's rows lie under one of its two slots; the other one is for
/// importing a snapshot beside them.
using state_slot = std::uint16_t;
[[nodiscard]] constexpr state_slot slot_of(core::group_id group, bool second) {
  return static_cast<state_slot>(2 * group.value() + (second ? 1 : 0));
}
inline constexpr std::uint16_t state_groups_max = 0x4000;

inline constexpr std::size_t slot_bytes = 2;
inline constexpr std::size_t value_check_bytes = 4;

/// Slot, big-endian, then the caller's key.
std::string state_key(state_slot slot, std::string_view key);
/// The slot's keys are those from state_key(slot, "") up to here, exclusive.
std::string slot_end(state_slot slot);

/// Checksum over key (slot included) and value.
[[nodiscard]] std::uint32_t value_check(std::string_view full_key,
                                        core::bytes_view value);
/// The value of a row, or nothing if its checksum does not match.
[[nodiscard]] std::optional<core::bytes_view>
checked_value(std::string_view full_key, std::string_view row);

/// A row of the group table.
struct group_row {
  state_slot slot = 0;
  core::log_index applied;
};
std::string group_row_key(core::group_id group);
std::string encode_group_row(core::group_id group, const group_row& row);
std::optional<group_row> decode_group_row(core::group_id group,
                                          std::string_view bytes);

} // namespace troupe::storage
