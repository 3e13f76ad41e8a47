// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/workers/words.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "net/output_queue.hpp"

#include <cstddef>

namespace troupe::app::workers {

/// Before each frame: its length without these.
inline constexpr std::size_t length_bytes = 4;

/// Appends one frame with its length. Bytes of messages are referenced where
/// that pays. REQUIRES: no delivery without a message.
void encode(const word& what, net::output_queue& out);

/// One frame without its length. `owner`, if not null, holds `frame`: the
/// larger part of it is referenced then, all else is copied. Errors:
/// malformed. Never throws.
[[nodiscard]] core::result<word> decode(core::bytes_view frame,
                                        const core::shared_bytes* owner);

/// About how many bytes a word takes on the line and in memory; cheap.
[[nodiscard]] std::size_t weight(const word& what);

} // namespace troupe::app::workers
