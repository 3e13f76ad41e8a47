// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reading JSON (RFC 8259) without taking it apart: what clients send each
/// other is passed on as it was written, with its numbers and its order.
namespace troupe::net::zenconn {

inline constexpr std::size_t json_depth_max = 64;

/// Whether this is one JSON text, in UTF-8, not nested too deeply.
[[nodiscard]] bool is_json(std::string_view text);

struct json_member {
  std::string name;
  std::string_view value; ///< its text, without blanks around it
};
/// The members of an object, which lie in `text`; nothing if it is none.
[[nodiscard]] std::optional<std::vector<json_member>>
read_members(std::string_view text);
/// The elements of an array.
[[nodiscard]] std::optional<std::vector<std::string_view>>
read_elements(std::string_view text);

/// What a string says. REQUIRES: is_json(text), or a value of one.
[[nodiscard]] std::optional<std::string> read_string(std::string_view text);
/// The same for a number that is not negative and has no fraction.
[[nodiscard]] std::optional<std::uint64_t> read_number(std::string_view text);

/// Without the blanks that mean nothing. REQUIRES: as above.
[[nodiscard]] std::string without_blanks(std::string_view text);

} // namespace troupe::net::zenconn
