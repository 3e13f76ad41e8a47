// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

/// Compressing whole messages (RFC 7692) without context takeover. The zlib
/// states belong to the calling thread and are shared by all its connections,
/// so that a connection owns none.
namespace troupe::net::ws {

/// Compresses the pieces as one message. `window_bits` 9..15.
[[nodiscard]] std::string deflate_message(std::span<const core::bytes_view> in,
                                          int window_bits);

enum class inflate_outcome : std::uint8_t {
  ok,
  too_large, ///< would exceed the limit; stopped there
  corrupt,
};

/// Expands one message into `out` (replaced), never beyond `bytes_max`.
[[nodiscard]] inflate_outcome
inflate_message(core::bytes_view in, std::size_t bytes_max, std::string& out);

} // namespace troupe::net::ws
