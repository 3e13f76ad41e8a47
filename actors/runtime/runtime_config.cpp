// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/runtime_config.hpp"

#include "actors/runtime/scheduler.hpp"
#include "core/assert.hpp"

#include <caf/atom.hpp>

#include <algorithm>

namespace troupe::actors::runtime {

namespace {

const core::clock& machine_clock() {
  static const core::system_clock clock;
  return clock;
}

} // namespace

runtime_config::runtime_config(runtime_options options)
    : options_(std::move(options)),
      registry_(std::make_unique<actor_registry>(
          std::max<std::size_t>(options_.loops, 1))) {
  if (options_.clock == nullptr)
    options_.clock = &machine_clock();
  // CAF's default is without limit: one busy actor would starve the sockets
  // of its loop for ever.
  set("scheduler.max-throughput", options_.throughput_max);
  if (options_.loops == 0) {
    set("scheduler.policy", caf::atom("testing"));
    return;
  }
  set("scheduler.max-threads", options_.loops);
  load<scheduler>();
}

const runtime_config& runtime_config::of(const caf::actor_system& sys) {
  const auto* config = dynamic_cast<const runtime_config*>(&sys.config());
  TROUPE_ASSERT(config != nullptr, "made without a runtime_config");
  return *config;
}

} // namespace troupe::actors::runtime
