// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/actor_registry.hpp"
#include "core/clock.hpp"

#include <caf/actor_system_config.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace troupe::actors::runtime {

/// Told of what nobody else can handle: an exception that left an I/O
/// handler, a posted task, a timer or an actor. `where` names the place, for
/// example "troupe-loop-1, timer" or the path of an actor. Called on the
/// thread it happened on; must not block nor throw.
using error_hook =
    std::function<void(std::string_view where, std::string_view what)>;

struct runtime_options {
  /// Threads, each with an io_context; 0 leaves CAF's scheduler in place, for
  /// deterministic tests.
  std::size_t loops = 1;
  /// Messages an actor may handle before its loop turns to others.
  std::size_t throughput_max = 100;
  /// How long a loop polls after its last activity before it sleeps in the
  /// kernel. Trades CPU for the wake-up latency of a busy loop; an idle loop
  /// sleeps either way.
  std::chrono::microseconds spin{0};
  /// Not owned; outlives the actor system. Null: the machine's clocks.
  const core::clock* clock = nullptr;
  error_hook on_error{};
};

/// The settings of an actor system that runs on loops, and what its actors
/// share: the registry, the clock, the error hook. Made before the actor
/// system, and outlives it.
class runtime_config : public caf::actor_system_config {
public:
  explicit runtime_config(runtime_options options);
  runtime_config(const runtime_config&) = delete;
  runtime_config& operator=(const runtime_config&) = delete;

  /// REQUIRES: the system was made with a runtime_config.
  [[nodiscard]] static const runtime_config& of(const caf::actor_system& sys);

  [[nodiscard]] const runtime_options& options() const { return options_; }
  [[nodiscard]] const core::clock& clock() const { return *options_.clock; }
  [[nodiscard]] actor_registry& registry() const { return *registry_; }
  void report(std::string_view where, std::string_view what) const {
    if (options_.on_error)
      options_.on_error(where, what);
  }

private:
  runtime_options options_;
  std::unique_ptr<actor_registry> registry_;
};

} // namespace troupe::actors::runtime
