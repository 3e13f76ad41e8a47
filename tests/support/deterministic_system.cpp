// SPDX-License-Identifier: Apache-2.0
#include "tests/support/deterministic_system.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>

namespace troupe::test_support {

namespace {

actors::runtime::runtime_options options_for(const manual_clock& clock,
                                             std::vector<std::string>& errors) {
  actors::runtime::runtime_options options;
  options.loops = 0;
  options.clock = &clock;
  options.on_error = [&errors](std::string_view where, std::string_view what) {
    errors.push_back(std::string{where} + ": " + std::string{what});
  };
  return options;
}

actors::runtime::runtime_config& configured(
    actors::runtime::runtime_config& config,
    const std::function<void(actors::runtime::runtime_config&)>& configure) {
  if (configure)
    configure(config);
  return config;
}

} // namespace

deterministic_system::deterministic_system(
    const std::function<void(actors::runtime::runtime_config&)>& configure)
    : config_(options_for(clock_, errors_)),
      system_(configured(config_, configure)),
      coordinator_(dynamic_cast<caf::scheduler::test_coordinator&>(
          system_.scheduler())) {
  // There is no thread which could end what is still alive.
  system_.await_actors_before_shutdown(false);
}

deterministic_system::~deterministic_system() { run(); }

std::size_t deterministic_system::run() {
  std::size_t count = 0;
  while (coordinator_.try_run_once())
    ++count;
  return count;
}

bool deterministic_system::run_once() { return coordinator_.try_run_once(); }

void deterministic_system::advance(core::milliseconds by) {
  constexpr core::milliseconds longest_step{10};
  run();
  while (by.count() > 0) {
    const auto step = std::min(by, longest_step);
    by -= step;
    clock_.advance(step);
    coordinator_.advance_time(step);
    run();
  }
}

} // namespace troupe::test_support
