// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/grant.hpp"
#include "core/topic_filter_index.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace troupe::core {

/// Grants made ready for questions. Immutable once made, so that any thread
/// may ask and sessions may share one.
class grant_set {
public:
  grant_set() = default;
  /// Placeholders are filled in; a grant whose placeholder the subject has
  /// nothing for is left out.
  grant_set(std::span<const grant> grants, const grant_subject& subject);

  /// The filter that permits it, null if none does. Costs what a look-up in a
  /// topic_filter_index does, however many grants there are.
  [[nodiscard]] const std::string* find(right what, const topic& name) const;
  /// A filter that permits all that `wanted` matches; looks at each one unless
  /// the same filter was granted.
  [[nodiscard]] const std::string* find(right what,
                                        const topic_filter& wanted) const;

  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept;

private:
  struct filters {
    topic_filter_index index;
    std::vector<topic_filter> all;
  };
  [[nodiscard]] const filters& of(right what) const {
    return by_right_[static_cast<std::size_t>(what) - 1];
  }

  std::array<filters, rights_all.size()> by_right_;
};

} // namespace troupe::core
