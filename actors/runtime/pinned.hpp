// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/actor_registry.hpp"
#include "core/json_text.hpp"

#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <concepts>
#include <exception>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

/// Actors that live on one loop for good.
///
/// The usual form, a state and a behaviour factory (style guide, "An actor is
/// one file pair over a pure core"):
///
///   inbox_actor::behavior_type
///   inbox_behavior(inbox_actor::stateful_pointer<inbox_state> self,
///                  inbox_deps deps);
///
///   auto inbox = spawn_pinned<inbox_actor, inbox_state>(
///       system, &scheduler::of(system).home_for(hash), inbox_behavior, deps);
///
/// A state may have `std::string path() const`, its name in the registry;
/// without it the name is "<kind>/<number>". `State::name` is the kind.
///
/// A class: derive from pinned<caf::event_based_actor> or
/// pinned<some_actor::base>, and use spawn_pinned_class<the_class>().

namespace troupe::actors::runtime {

class loop;

/// The part of a pinned actor that does not depend on its interface.
class pinned_part : public registry_entry {
public:
  /// Where it runs; null in a system without loops.
  [[nodiscard]] loop* home() const noexcept;

protected:
  /// `host` is what the actor was spawned with: its home, if it is a loop.
  /// REQUIRES: a loop, unless the system has none.
  pinned_part(caf::execution_unit* host, caf::actor_system& system);
  [[nodiscard]] caf::execution_unit*
  host_or(caf::execution_unit* other) const noexcept {
    return home_ != nullptr ? home_ : other;
  }
  void enrol_actor(caf::actor_system& system);
  /// Withdraws; an end by anything but a normal exit goes to the registry's
  /// failures.
  void end_actor(caf::actor_system& system, const caf::error& reason);

  /// For set_default_handler: drops and counts; a request is answered by
  /// sec::unexpected_message.
  static caf::result<caf::message> drop_message(pinned_part& self,
                                                caf::scheduled_actor* actor,
                                                caf::message_view& content);
  /// For set_exception_handler: reports; the actor ends.
  static caf::error report_exception(pinned_part& self,
                                     caf::actor_system& system,
                                     const std::exception_ptr& thrown);
  void count_dropped_message() noexcept { count_dropped(); }

private:
  friend void note_error(caf::local_actor& self, std::string_view text);
  friend void describe_actor(core::json_writer& out,
                             const caf::local_actor& self);

  caf::execution_unit* home_ = nullptr; // a loop
};

/// What the registry shows as the last error of an actor that goes on. On its
/// home. REQUIRES: a pinned actor.
void note_error(caf::local_actor& self, std::string_view text);
/// Member "actor": what the registry shows of it, for the debug endpoint. On
/// its home. Nothing for an actor that is not pinned.
void describe_actor(core::json_writer& out, const caf::local_actor& self);
/// The loop of a pinned actor; null in a system without loops, and for an
/// actor that is not pinned.
[[nodiscard]] loop* home_of(const caf::local_actor& self) noexcept;

/// Base: caf::event_based_actor, a typed_actor<…>::base, or a stateful_actor
/// on one of these. Every path into the mailbox passes through enqueue(), so
/// the actor runs on its home whoever sends.
template <class Base>
class pinned : public Base, public pinned_part {
public:
  explicit pinned(caf::actor_config& config)
      : Base(config), pinned_part(config.host, this->home_system()) {
    // CAF's own handlers print to stdout.
    this->set_default_handler(
        [](caf::scheduled_actor* self, caf::message_view& content) {
          return drop_message(*static_cast<pinned*>(self), self, content);
        });
    this->set_down_handler([](caf::scheduled_actor* self, caf::down_msg&) {
      static_cast<pinned*>(self)->count_dropped_message();
    });
    this->set_exception_handler(
        [](caf::scheduled_actor* self, std::exception_ptr& thrown) {
          return report_exception(*static_cast<pinned*>(self),
                                  self->home_system(), thrown);
        });
  }

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr what,
               caf::execution_unit* host) override {
    this->count_enqueued();
    Base::enqueue(std::move(what), host_or(host));
  }

  using Base::consume;
  caf::invoke_message_result consume(caf::mailbox_element& what) override {
    const auto result = Base::consume(what);
    if (result != caf::invoke_message_result::skipped)
      this->count_handled();
    return result;
  }

  void initialize() override {
    Base::initialize();
    enrol_actor(this->home_system());
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    end_actor(this->home_system(), reason);
    return Base::cleanup(std::move(reason), host_or(host));
  }

  // The last reference may be dropped on any thread; path() must not be
  // called any more once the state dies.
  void on_destroy() override {
    this->withdraw();
    Base::on_destroy();
  }

  [[nodiscard]] std::string path() const override {
    return std::string{kind()} + "/" + std::to_string(this->id());
  }
  [[nodiscard]] std::string_view kind() const override { return this->name(); }
  [[nodiscard]] std::uint64_t actor_number() const noexcept override {
    return this->id();
  }
};

namespace detail {

template <class Handle, class State>
struct stateful_base {
  using type = typename Handle::template stateful_base<State>;
};
template <class State>
struct stateful_base<caf::actor, State> {
  using type = caf::stateful_actor<State>;
};

inline caf::behavior to_behavior(caf::behavior b) { return b; }
template <class... Signatures>
caf::behavior to_behavior(caf::typed_behavior<Signatures...> b) {
  return std::move(b.unbox());
}

template <class State>
concept has_path = requires(const State& state) {
  { state.path() } -> std::convertible_to<std::string>;
};

template <class Handle, class State>
class pinned_stateful final
    : public pinned<typename stateful_base<Handle, State>::type> {
public:
  using pinned<typename stateful_base<Handle, State>::type>::pinned;

  [[nodiscard]] std::string path() const override {
    if constexpr (has_path<State>)
      return this->state.path();
    else
      return std::string{this->kind()} + "/" + std::to_string(this->id());
  }
};

caf::execution_unit* as_host(loop* home) noexcept;

} // namespace detail

/// What a factory for spawn_pinned gets: Handle::stateful_pointer<State>, or
/// the same for caf::actor.
template <class Handle, class State>
using stateful_pointer = typename detail::stateful_base<Handle, State>::type*;

/// Spawns an actor made of `State` and of the behaviour that
/// `factory(stateful_pointer<Handle, State>, deps...)` returns. The state is
/// built on the caller's thread, the factory runs on the home loop. `home` is
/// null only in a system without loops. Any thread.
template <class Handle, class State, class Factory, class... Deps>
Handle spawn_pinned(caf::actor_system& system, loop* home, Factory factory,
                    Deps... deps) {
  using implementation = detail::pinned_stateful<Handle, State>;
  caf::actor_config config{detail::as_host(home)};
  config.init_fun = caf::actor_config::init_fun_type{
      [factory = std::move(factory),
       bound = std::make_tuple(std::move(deps)...)](
          caf::local_actor* self) mutable -> caf::behavior {
        stateful_pointer<Handle, State> pointer =
            static_cast<implementation*>(self);
        return std::apply(
            [&](auto&... each) {
              return detail::to_behavior(factory(pointer, std::move(each)...));
            },
            bound);
      }};
  return system.spawn_class<implementation, caf::no_spawn_options>(config);
}

/// Spawns a class derived from pinned<…>. Any thread.
template <class Actor, class... Args>
auto spawn_pinned_class(caf::actor_system& system, loop* home, Args&&... args) {
  caf::actor_config config{detail::as_host(home)};
  return system.spawn_class<Actor, caf::no_spawn_options>(
      config, std::forward<Args>(args)...);
}

} // namespace troupe::actors::runtime
