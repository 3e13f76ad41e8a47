// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

/// What may be a name of a user, device, alias, list or realm. Names are keys
/// of bytes, never paths: "../x", commas, and twins in upper and lower case
/// are legal and distinct.
namespace troupe::core {

inline constexpr std::size_t name_bytes_max = 200;
inline constexpr std::size_t realm_bytes_max = 64;

/// 1..200 bytes, none of them a control character (0x00..0x1F, 0x7F). Bytes
/// above 0x7F are taken as they come, valid UTF-8 or not: the old registry
/// kept any.
[[nodiscard]] bool is_name(std::string_view text) noexcept;
/// The same with 1..64 bytes.
[[nodiscard]] bool is_realm(std::string_view text) noexcept;

} // namespace troupe::core
