// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// JSON as websocket.MQ wants it on the wire: compact and pure ASCII, because
/// older peers read the header one byte a character (A.3).
namespace troupe::net::mq {

/// A byte of UTF-8 becomes at most six of JSON.
inline constexpr std::size_t escape_factor = 6;

/// Writes the inside of a JSON string, without the quotes; returns the end.
/// Bytes that are not UTF-8 become U+FFFD. REQUIRES: room for
/// escape_factor * utf8.size() bytes.
char* write_escaped(char* to, std::string_view utf8) noexcept;

/// Appends `text` as a JSON string with its quotes.
void append_json(std::string& to, std::string_view text);

/// Appends any value, compact. Numbers are printed in their shortest form.
void append_json(std::string& to, const boost::json::value& value);

} // namespace troupe::net::mq
