// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/runtime_config.hpp"
#include "tests/support/manual_clock.hpp"

#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/expected.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace caf::scheduler {
class test_coordinator;
}

namespace troupe::test_support {

/// An actor system that runs on the test's thread, only when told to, in
/// virtual time. Actors are the same as on loops; spawn_pinned takes a null
/// home. Every actor still alive at the end must be stopped or unreachable.
class deterministic_system {
public:
  /// `configure` adds message types, for example.
  explicit deterministic_system(
      const std::function<void(actors::runtime::runtime_config&)>& configure =
          {});
  deterministic_system(const deterministic_system&) = delete;
  deterministic_system& operator=(const deterministic_system&) = delete;
  ~deterministic_system();

  [[nodiscard]] caf::actor_system& system() { return system_; }
  [[nodiscard]] manual_clock& clock() { return clock_; }
  [[nodiscard]] actors::runtime::actor_registry& registry() {
    return config_.registry();
  }
  /// What was given to the error hook, as "where: what".
  [[nodiscard]] const std::vector<std::string>& errors() const {
    return errors_;
  }

  /// Runs until nobody has a message; time stands still. Returns the number
  /// of jobs.
  std::size_t run();
  /// Runs one job; false if there is none.
  bool run_once();
  /// Lets time pass, for CAF's timeouts and clock() alike, in steps of at
  /// most 10 ms, and runs after each.
  void advance(core::milliseconds by);

  /// Sends a request and runs to quiescence. An error if the answer is one,
  /// or sec::request_timeout if there was none by then.
  template <class Result, class Handle, class... Ts>
  caf::expected<Result> ask(const Handle& to, const Ts&... arguments) {
    const auto answer = std::make_shared<answer_of<Result>>();
    system_.spawn<asker>([=](caf::event_based_actor* self) {
      auto pending = self->request(to, caf::infinite, arguments...);
      const auto failed = [answer](caf::error& e) { answer->emplace(e); };
      if constexpr (std::is_void_v<Result>)
        pending.then([answer] { answer->emplace(caf::unit); }, failed);
      else
        pending.then(
            [answer](Result& value) { answer->emplace(std::move(value)); },
            failed);
    });
    run();
    if (!*answer)
      return caf::make_error(caf::sec::request_timeout,
                             "no answer when all was quiet");
    return std::move(**answer);
  }

  /// Sends from nobody, and runs to quiescence.
  template <class Handle, class... Ts>
  void tell(const Handle& to, const Ts&... arguments) {
    caf::anon_send(to, arguments...);
    run();
  }

  /// Ends an actor, and runs to quiescence.
  template <class Handle>
  void stop(const Handle& who) {
    caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
    run();
  }

private:
  template <class Result>
  using answer_of = std::optional<caf::expected<Result>>;

  class asker final : public caf::event_based_actor {
  public:
    asker(caf::actor_config& config,
          std::function<void(caf::event_based_actor*)> ask)
        : caf::event_based_actor(config), ask_(std::move(ask)) {}
    caf::behavior make_behavior() override {
      std::exchange(ask_, nullptr)(this);
      return {};
    }

  private:
    std::function<void(caf::event_based_actor*)> ask_;
  };

  manual_clock clock_;
  std::vector<std::string> errors_;
  actors::runtime::runtime_config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& coordinator_;
};

} // namespace troupe::test_support
