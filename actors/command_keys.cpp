// SPDX-License-Identifier: Apache-2.0
#include "actors/command_keys.hpp"

#include <algorithm>
#include <random>

namespace troupe::actors {
namespace {

/// Random, so that no two lives of a node share one; 0 means "no key".
std::uint64_t fresh_id() {
  std::random_device random;
  return (static_cast<std::uint64_t>(random()) << 32U | random()) | 1U;
}

} // namespace

std::optional<core::idempotency_key> command_keys::take() {
  auto at = std::find_if(origins_.begin(), origins_.end(),
                         [](const origin& o) { return o.has_room(); });
  if (at == origins_.end()) {
    if (origins_.size() == origins_max)
      return std::nullopt;
    origins_.emplace_back().id = fresh_id();
    at = origins_.end() - 1;
  }
  at->out.set(at->next % core::idempotency_window);
  return core::idempotency_key{at->id, at->next++};
}

void command_keys::give_back(const core::idempotency_key& key) {
  const auto at =
      std::find_if(origins_.begin(), origins_.end(),
                   [&](const origin& o) { return o.id == key.origin; });
  if (at == origins_.end() || key.sequence < at->oldest ||
      key.sequence >= at->next)
    return;
  at->out.reset(key.sequence % core::idempotency_window);
  while (at->oldest < at->next &&
         !at->out.test(at->oldest % core::idempotency_window))
    ++at->oldest;
}

} // namespace troupe::actors
