// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "schema/command_wire.hpp"

#include <cstddef>

/// The fixed front of an encoded command, for the files that write the rest.
namespace troupe::schema {

/// Writes command_prefix_bytes. REQUIRES: flat_bytes < 4 GiB (assert).
void write_prefix(std::byte* to, const command_prefix& prefix,
                  std::size_t flat_bytes);

struct command_parts {
  command_prefix prefix;
  core::bytes_view flat; ///< the Cap'n Proto message
  core::bytes_view tail; ///< what stands behind it
};
/// Borrowed from `command`. Errors: malformed, also for a command of another
/// family; newer_format.
[[nodiscard]] core::result<command_parts>
split_command(core::bytes_view command, command_family family);

} // namespace troupe::schema
