// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"

#include <atomic>
#include <chrono>

namespace troupe::test_support {

/// Time that moves when the test says so. Thread-safe.
class manual_clock final : public core::clock {
public:
  [[nodiscard]] core::steady_time now() const override {
    return core::steady_time{} + std::chrono::hours{1} + elapsed();
  }
  /// Starts on 2024-01-01.
  [[nodiscard]] core::timestamp wall() const override {
    return core::from_millis(1'704'067'200'000) + wall_jump() + elapsed();
  }

  void advance(core::milliseconds by) { elapsed_ += by.count(); }
  /// Moves the wall clock alone, in either direction.
  void jump(core::milliseconds by) { wall_jump_ += by.count(); }

private:
  [[nodiscard]] core::milliseconds elapsed() const {
    return core::milliseconds{elapsed_.load()};
  }
  [[nodiscard]] core::milliseconds wall_jump() const {
    return core::milliseconds{wall_jump_.load()};
  }

  std::atomic<std::int64_t> elapsed_{0};
  std::atomic<std::int64_t> wall_jump_{0};
};

} // namespace troupe::test_support
