// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <unordered_map>

namespace troupe::actors {

/// Keeps what one asker proposes in its order although some of it is lost on
/// the way to a leader. After a loss nothing of that asker passes until it
/// proposes again what was lost: by then it knows of the loss, and whatever it
/// had sent before it knew is behind it. Owned by a group, used on its loop.
class order_fence {
public:
  /// Something of the asker is lost; it will be told.
  void raise(caf::actor_id asker, core::steady_time now) {
    raised_.insert_or_assign(asker, now);
  }
  /// Whether a proposal may go on. `again`: it was lost before.
  [[nodiscard]] bool passes(caf::actor_id asker, bool again) {
    if (raised_.empty())
      return true;
    if (again)
      raised_.erase(asker);
    return !raised_.contains(asker);
  }
  /// Forgets those who have long been told, or are gone.
  void expire(core::steady_time now) {
    if (!raised_.empty())
      std::erase_if(raised_,
                    [&](const auto& one) { return now - one.second > memory; });
  }
  [[nodiscard]] std::size_t size() const { return raised_.size(); }

private:
  /// Longer than any operation waits.
  static constexpr std::chrono::seconds memory{60};

  std::unordered_map<caf::actor_id, core::steady_time> raised_;
};

} // namespace troupe::actors
