// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace troupe::app {

/// Appends `text` as a JSON string, quotes included. Control characters are
/// escaped and bytes that are not UTF-8 become U+FFFD, so the outcome is valid
/// JSON on one line whatever a peer has sent.
void append_json(std::string& to, std::string_view text);

/// Whether every byte belongs to a well-formed sequence.
[[nodiscard]] bool is_utf8(std::string_view text);

} // namespace troupe::app
