// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::identity {

/// RFC 4648 §5 without padding, as tokens and keys are written.
[[nodiscard]] std::string to_base64url(std::string_view bytes);
/// Nothing but the one way to write each text: no padding, no line breaks, no
/// bits left over.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

} // namespace troupe::net::identity
