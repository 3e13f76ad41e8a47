// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/topic.hpp"
#include "core/topic_filter.hpp"

#include <string>
#include <string_view>

/// MQTT's topic names and filters, and the broker's. The bytes between slashes
/// are the levels, whatever they are: "/a" has an empty one in front, and no
/// byte is changed (MQTT 5, 4.7). What is a level of MQTT's, so all that MQTT
/// clients publish, comes back as it was.
namespace troupe::net::mqtt {

/// A topic name, which must be a text (is_text()). name_invalid: empty, or
/// with a wildcard; too_large: more levels or bytes than `limits` has.
[[nodiscard]] core::result<core::topic>
parse_topic(std::string_view name, const core::topic_limits& limits = {});

/// A filter, and who shares it.
struct parsed_filter {
  core::topic_filter filter;
  std::string_view share{}; ///< ShareName, "" if it is not shared; borrowed
};

/// A topic filter, also "$share/{name}/{filter}". name_invalid, with a text
/// that names the clause: empty, a wildcard inside of a level, '#' not at the
/// end, a share without a name or a filter; too_large.
[[nodiscard]] core::result<parsed_filter>
parse_filter(std::string_view text, const core::topic_limits& limits = {});

/// A topic's name for MQTT clients. Of topics that other protocols made: bytes
/// of a level that no topic name has ('/', '+', '#', U+0000, and whatever is
/// not UTF-8) are written as %XX. Such names can't be turned back.
[[nodiscard]] std::string name_of(const core::topic& which);

} // namespace troupe::net::mqtt
