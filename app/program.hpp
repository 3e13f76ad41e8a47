// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/commands.hpp"
#include "app/service.hpp"

#include <functional>
#include <string>
#include <vector>

namespace troupe::app {

/// What main() plugs in: the parts that need the whole of Troupe. A command
/// without its part says that this build has none.
struct program_parts {
  service_factory make_service;
  std::function<int(const bench_options&, terminal&)> bench;
};

/// Reads the command line (without the program's name), carries out what it
/// asks for and returns the exit code. No exception leaves it.
[[nodiscard]] int run_program(const std::vector<std::string>& arguments,
                              const program_parts& parts, terminal& screen);

} // namespace troupe::app
