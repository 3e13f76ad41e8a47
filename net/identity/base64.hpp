// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::identity {

/// RFC 4648 §4, with padding.
[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Nothing but the one way to write each text, as from_base64url().
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

} // namespace troupe::net::identity
