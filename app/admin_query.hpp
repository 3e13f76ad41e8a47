// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_message.hpp"

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>

/// What admin requests say in their query.
namespace troupe::app {

/// The only one there is as yet.
inline constexpr std::string_view admin_realm = "default";

/// Where one node may end something at another.
inline constexpr std::string_view mqtt_sessions_path = "/mqtt/sessions";

/// A whole text as a number, or nothing.
template <class Number>
[[nodiscard]] std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || stop != end)
    return std::nullopt;
  return value;
}

/// Rows of one page: `limit`, 1 to `most`; nothing if it is anything else.
[[nodiscard]] inline std::optional<std::size_t>
limit_of(const net::http_request& request, std::size_t fallback,
         std::size_t most) {
  const auto text = request.query_value("limit");
  if (!text)
    return fallback;
  const auto value = number_of<std::size_t>(*text);
  if (!value || *value == 0 || *value > most)
    return std::nullopt;
  return value;
}

} // namespace troupe::app
