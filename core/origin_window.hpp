// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/inbox_store.hpp"

#include <cstdint>

/// Applying each command of an origin once, in whatever order they arrive.
/// Both functions are pure, so every replica keeps the same record.
namespace troupe::core {

/// Whether the command was applied, or is too old to tell: more than
/// idempotency_window below the highest one applied. Sequence 0 always is.
[[nodiscard]] bool is_applied(const origin_record& record,
                              std::uint64_t sequence) noexcept;

/// Notes that the command is applied. The record stays canonical (no word
/// above the highest bit, the lowest bit clear) and holds at most
/// idempotency_window / 64 words. Does not touch `used`.
void mark(origin_record& record, std::uint64_t sequence);

} // namespace troupe::core
