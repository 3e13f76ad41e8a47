// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/inbox_store.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

/// Applying each command of an origin once, in whatever order they arrive.
/// All functions are pure, so every replica keeps the same records.
namespace troupe::core {

/// Whether the command was applied, or is too old to tell: more than
/// idempotency_window below the highest one applied. Sequence 0 always is.
[[nodiscard]] bool is_applied(const origin_record& record,
                              std::uint64_t sequence) noexcept;

/// Notes that the command is applied. The record stays canonical (no word
/// above the highest bit, the lowest bit clear) and holds at most
/// idempotency_window / 64 words. Does not touch `used`.
void mark(origin_record& record, std::uint64_t sequence);

/// Origins kept however long they have been silent. That time is the leader's
/// clock, which may jump past any limit while a command is being repeated; the
/// order in which origins were used is that of the log.
inline constexpr std::size_t origins_kept = 1024;

/// Origins that can be forgotten: last used more than `idle` before `now`, and
/// not among the origins_kept used last.
[[nodiscard]] std::vector<std::uint64_t>
silent_origins(std::vector<std::pair<std::uint64_t, origin_record>> origins,
               timestamp now, milliseconds idle);

} // namespace troupe::core
