// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

namespace troupe::core {

/// Where time comes from, so that tests can own it. Thread-safe.
class clock {
public:
  virtual ~clock() = default;
  /// For timers and timeouts.
  [[nodiscard]] virtual steady_time now() const = 0;
  /// For what people see and what is stored; may jump.
  [[nodiscard]] virtual timestamp wall() const = 0;
};

/// The machine's clocks.
class system_clock final : public clock {
public:
  [[nodiscard]] steady_time now() const override {
    return std::chrono::steady_clock::now();
  }
  [[nodiscard]] timestamp wall() const override {
    return std::chrono::time_point_cast<timestamp::duration>(
        std::chrono::system_clock::now());
  }
};

} // namespace troupe::core
