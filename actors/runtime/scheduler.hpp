// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/actor_registry.hpp"
#include "actors/runtime/actor_timeouts.hpp"
#include "actors/runtime/loop.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace troupe::actors::runtime {

/// CAF's scheduler module whose workers are the loops. Loaded by
/// runtime_config, owned by the actor system, which starts it before its
/// first actor and stops it after its last.
///
/// Before the actor system ends, whoever opened sockets closes them: stop()
/// destroys the I/O handlers still pending, unrun, and with them the
/// connections they hold. Actors that queue work after that are cleaned up
/// without running.
///
/// delayed_send() of an actor on a loop is a timer of that loop; one more
/// thread serves CAF's other timeouts (time limits of requests).
class scheduler final : public caf::scheduler::abstract_coordinator {
public:
  explicit scheduler(caf::actor_system& system);
  ~scheduler() override;

  /// For actor_system_config::load.
  static caf::actor_system::module* make(caf::actor_system& system,
                                         caf::detail::type_list<>);

  /// REQUIRES: the system's runtime_options have loops. Any thread, as all
  /// below.
  [[nodiscard]] static scheduler& of(caf::actor_system& system);
  /// Null if the system has no loops.
  [[nodiscard]] static scheduler* find(caf::actor_system& system);

  [[nodiscard]] std::size_t size() const noexcept { return loops_.size(); }
  /// REQUIRES: index < size().
  [[nodiscard]] loop& at(std::size_t index) { return *loops_.at(index); }
  /// The home of an actor without a socket, by a hash of its name.
  [[nodiscard]] loop& home_for(std::size_t hash);

  /// Asks the loop of `query.from` for one page; `done` gets it on that loop.
  /// Never called if the scheduler stops first.
  void list_actors(actor_query query, std::function<void(actor_page)> done);

  // caf::scheduler::abstract_coordinator
  void enqueue(caf::resumable* job) override;
  caf::actor_clock& clock() noexcept override { return clock_; }

protected:
  void init(caf::actor_system_config& config) override;
  void start() override;
  void stop() override;

private:
  using super = caf::scheduler::abstract_coordinator;

  std::vector<std::unique_ptr<loop>> loops_;
  std::vector<std::thread> threads_;
  actor_timeouts clock_;
  std::thread clock_thread_;
};

} // namespace troupe::actors::runtime
