// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/fwd.hpp>

#include <string_view>

/// The few conversions of JavaScript that websocket.MQ's rules lean on.
namespace troupe::net::mq {

/// Number(value): true is 1, "2" is 2, "" and null are 0, [3] is 3; NaN for
/// what has no number.
[[nodiscard]] double to_number(const boost::json::value& value);
[[nodiscard]] double to_number(std::string_view text);

/// Whether `if (value)` would be taken.
[[nodiscard]] bool is_truthy(const boost::json::value& value);

} // namespace troupe::net::mq
