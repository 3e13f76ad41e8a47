// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <string>

namespace troupe::core {

/// "2024-01-31T08:05:09.123Z": ISO 8601 in UTC with milliseconds. Years are
/// written with four digits at least; what is out of 0000…9999 is cut there.
[[nodiscard]] std::string to_iso_8601(timestamp time);

} // namespace troupe::core
