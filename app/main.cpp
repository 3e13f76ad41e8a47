// SPDX-License-Identifier: Apache-2.0
#include "app/bench.hpp"
#include "app/node.hpp"
#include "app/program.hpp"

#include <iostream>

int main(int argc, char** argv) {
  using namespace troupe::app;
  program_parts parts;
  parts.make_service = [](const service_context& context) {
    return std::make_unique<node>(context);
  };
  parts.bench = run_bench;
  terminal screen{std::cin, std::cout, std::cerr};
  return run_program({argv + 1, argv + argc}, parts, screen);
}
