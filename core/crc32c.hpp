// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <cstdint>

namespace troupe::core {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, continuing from the
/// checksum `seed` of what came before (0 at the start). Uses the processor's
/// instruction where there is one, else a table.
[[nodiscard]] std::uint32_t crc32c(bytes_view bytes,
                                   std::uint32_t seed = 0) noexcept;

} // namespace troupe::core
