// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

namespace troupe::net::ws {

/// Whether all of `bytes` is well-formed UTF-8 (RFC 3629: no overlong forms,
/// no surrogates, nothing above U+10FFFF).
[[nodiscard]] bool is_utf8(core::bytes_view bytes) noexcept;

} // namespace troupe::net::ws
