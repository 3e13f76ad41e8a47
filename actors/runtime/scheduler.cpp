// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/scheduler.hpp"

#include "actors/runtime/runtime_config.hpp"
#include "core/assert.hpp"

#include <pthread.h>

namespace troupe::actors::runtime {

scheduler::scheduler(caf::actor_system& system) : super(system) {}

scheduler::~scheduler() = default;

caf::actor_system::module* scheduler::make(caf::actor_system& system,
                                           caf::detail::type_list<>) {
  return new scheduler{system};
}

scheduler& scheduler::of(caf::actor_system& system) {
  auto* found = find(system);
  TROUPE_ASSERT(found != nullptr, "this actor system has no loops");
  return *found;
}

scheduler* scheduler::find(caf::actor_system& system) {
  return dynamic_cast<scheduler*>(&system.scheduler());
}

loop& scheduler::home_for(std::size_t hash) {
  // std::hash of an integer is the integer: mix before taking the remainder.
  const auto mixed = hash * 0x9E3779B97F4A7C15U;
  return *loops_[(mixed >> 32U) % loops_.size()];
}

void scheduler::list_actors(actor_query query,
                            std::function<void(actor_page)> done) {
  if (query.from.shard >= loops_.size())
    query.from = {loops_.size() - 1, SIZE_MAX / 2};
  auto& registry = runtime_config::of(system()).registry();
  at(query.from.shard)
      .post([&registry, query = std::move(query), done = std::move(done)] {
        done(registry.page(query));
      });
}

void scheduler::enqueue(caf::resumable* job) {
  auto* here = loop::current();
  if (here == nullptr || &here->system() != &system())
    here = loops_[next_worker_.fetch_add(1, std::memory_order_relaxed) %
                  loops_.size()]
               .get();
  here->exec_later(job);
}

void scheduler::init(caf::actor_system_config& config) {
  super::init(config);
  const auto& options = runtime_config::of(system()).options();
  for (std::size_t i = 0; i < options.loops; ++i)
    loops_.push_back(std::make_unique<loop>(
        system(), i,
        loop_options{options.throughput_max, options.spin, options.clock,
                     options.on_error}));
}

void scheduler::start() {
  for (auto& each : loops_)
    threads_.emplace_back([this, worker = each.get()] {
      system().thread_started();
      worker->run();
      system().thread_terminates();
    });
  clock_thread_ = std::thread{[this] {
    pthread_setname_np(pthread_self(), "troupe-clock");
    clock_.run_dispatch_loop();
  }};
  super::start(); // spawns CAF's printer, which needs running workers
}

void scheduler::stop() {
  stop_actors(); // waits for the printer, so the loops must still run
  for (auto& each : loops_)
    each->stop();
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
  // The actor system has sent exit messages to its internal actors just
  // before: their queued jobs own references. Cleaning one up may queue
  // others, on any loop.
  const auto drain_all = [this] {
    for (auto again = true; again;) {
      again = false;
      for (auto& each : loops_)
        again = each->drain() || again;
    }
  };
  drain_all();
  for (auto& each : loops_)
    each->abandon_handlers();
  drain_all();
  clock_.cancel_dispatch_loop();
  clock_thread_.join();
}

} // namespace troupe::actors::runtime
