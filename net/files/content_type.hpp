// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace troupe::net::files {

/// What a file is, by the end of its name (any case): nothing in it is looked
/// at, so no file says anything about another one.
/// "application/octet-stream" if the end is unknown or there is none.
[[nodiscard]] std::string_view content_type_of(std::string_view path) noexcept;

/// Whether compression makes it smaller, as a rule.
[[nodiscard]] bool is_compressible(std::string_view content_type) noexcept;

} // namespace troupe::net::files
