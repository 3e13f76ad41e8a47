// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/actor_timeouts.hpp"

#include "actors/runtime/loop.hpp"

#include <caf/abstract_actor.hpp>

#include <chrono>

namespace troupe::actors::runtime {
namespace {

using std::chrono::milliseconds;

/// Who waits for so short a time counts on it.
constexpr milliseconds short_wait{50};
constexpr milliseconds fine_grain{5};

} // namespace

void actor_timeouts::schedule_message(time_point time,
                                      caf::strong_actor_ptr receiver,
                                      caf::mailbox_element_ptr content) {
  auto* here = loop::current();
  if (here == nullptr || receiver == nullptr ||
      &here->system() != receiver->home_system) {
    super::schedule_message(time, std::move(receiver), std::move(content));
    return;
  }
  const auto wait = time - now();
  here->call_at(
      here->clock().now() + wait,
      [here, receiver = std::move(receiver),
       content = std::move(content)]() mutable {
        auto* actor = caf::actor_cast<caf::abstract_actor*>(receiver);
        actor->enqueue(std::move(content), here);
      },
      wait <= short_wait ? fine_grain : timer_queue::default_grain);
}

} // namespace troupe::actors::runtime
