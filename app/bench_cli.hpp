// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/bench_modes.hpp"

#include <string>
#include <variant>
#include <vector>

namespace troupe::app {

/// What the words behind `troupe bench` ask for.
struct bench_request {
  bench_load load;
  bool json = false;
};

/// Help (exit_ok) or what is wrong (exit_usage).
struct bench_text {
  int exit_code = 0;
  std::string text;
};

[[nodiscard]] std::variant<bench_request, bench_text>
parse_bench(std::vector<std::string> arguments);

} // namespace troupe::app
