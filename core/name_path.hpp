// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace troupe::core {

/// One segment of a path made of a name that may hold anything: what would end
/// the segment or is not printable ASCII becomes %XX (as RFC 3986, 2.1).
[[nodiscard]] std::string encode_path_segment(std::string_view name);

/// The inverse; a '%' that is not followed by two hexadecimal digits stands
/// for itself.
[[nodiscard]] std::string decode_path_segment(std::string_view segment);

} // namespace troupe::core
