// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/message.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

namespace troupe::app::workers {

/// One large message for many clients comes over the line once for each; in
/// the worker they share one copy of it. Remembers the last few and keeps none
/// alive. Owned by a worker's end.
class shared_messages {
public:
  /// Smaller ones are not looked for.
  static constexpr std::size_t bytes_min = std::size_t{32} << 10;

  /// The equal message that is still there, or this one, remembered.
  core::message_ptr share(core::message_ptr fresh) {
    if (fresh->payload.size() + fresh->meta.size() < bytes_min)
      return fresh;
    for (const auto& each : recent_)
      if (auto known = each.lock(); known && *known == *fresh)
        return known;
    recent_[next_++ % recent_.size()] = fresh;
    return fresh;
  }

private:
  std::array<std::weak_ptr<const core::message>, 16> recent_;
  std::size_t next_ = 0;
};

} // namespace troupe::app::workers
