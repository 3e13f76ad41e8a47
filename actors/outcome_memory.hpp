// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>

namespace troupe::actors {

/// What became of the newest commands, by their idempotency keys. A client that
/// lost its leader asks again under the same key: the tables say that the
/// command was applied, this says what came of it. Every replica keeps its own,
/// in memory; after a restart it knows only what it applied since. Not
/// thread-safe.
template <class Outcome>
class outcome_memory {
public:
  explicit outcome_memory(std::size_t limit) : limit_(limit) {}

  void keep(const core::idempotency_key& key, const Outcome& outcome) {
    if (key.origin == 0 || !known_.emplace(key, outcome).second)
      return;
    order_.push_back(key);
    if (order_.size() > limit_) {
      known_.erase(order_.front());
      order_.pop_front();
    }
  }
  /// Null if it is not known (any more).
  [[nodiscard]] const Outcome* find(const core::idempotency_key& key) const {
    const auto at = known_.find(key);
    return at == known_.end() ? nullptr : &at->second;
  }
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  void clear() {
    known_.clear();
    order_.clear();
  }

private:
  struct hash {
    std::size_t operator()(const core::idempotency_key& key) const noexcept {
      return std::hash<std::uint64_t>{}(key.origin * 0x9E3779B97F4A7C15ULL ^
                                        key.sequence);
    }
  };

  const std::size_t limit_;
  std::unordered_map<core::idempotency_key, Outcome, hash> known_;
  std::deque<core::idempotency_key> order_;
};

} // namespace troupe::actors
