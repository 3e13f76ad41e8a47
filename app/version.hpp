// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace troupe::app {

/// "0.1.0".
[[nodiscard]] std::string_view version();
/// The commit this was built from, with "-dirty" if files were changed; or
/// "unknown".
[[nodiscard]] std::string_view commit();
/// What `troupe version` prints: version, commit, compiler, libraries.
[[nodiscard]] std::string version_text();

} // namespace troupe::app
