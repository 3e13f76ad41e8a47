// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/logging.hpp"

namespace troupe::app {

/// While it lives, what a lower layer writes by spdlog's default logger goes to
/// this hook; behind it, nowhere. One of a process.
class spdlog_ear {
public:
  /// Called on any thread; says itself which levels it wants.
  explicit spdlog_ear(log_hook to);
  ~spdlog_ear();
  spdlog_ear(const spdlog_ear&) = delete;
  spdlog_ear& operator=(const spdlog_ear&) = delete;
};

} // namespace troupe::app
