// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace troupe::core {

/// Who listens to a topic, as its door says it; for those who look on, never
/// for a decision.
struct listener_about {
  /// The protocol; "": whoever listens is no business of others.
  std::string door{};
  /// Number of its connection; 0: it has none.
  std::uint64_t session = 0;
  std::string uid{}; ///< "": nobody in particular
  /// Listens for others and is no listener itself; says who comes and goes.
  bool group = false;
  /// Only who shows something for it may listen to this topic.
  bool restricted = false;
};

} // namespace troupe::core
