// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>

namespace troupe::cluster::simulation {

/// The one seed to be run, if TROUPE_TEST_SEED names one.
[[nodiscard]] inline std::optional<std::uint64_t> seed_to_replay() {
  const char* text = std::getenv("TROUPE_TEST_SEED");
  if (text == nullptr)
    return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

} // namespace troupe::cluster::simulation
