// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <caf/detail/thread_safe_actor_clock.hpp>

namespace troupe::actors::runtime {

/// CAF's timeouts. What an actor on a loop sends itself later is a timer of
/// that loop: no other thread, and timers share wake-ups. All else, time limits
/// of requests for example, is for the thread that calls run_dispatch_loop().
/// Owned by the scheduler. Any thread.
class actor_timeouts final : public caf::detail::thread_safe_actor_clock {
public:
  using super = caf::detail::thread_safe_actor_clock;
  using super::schedule_message;

  void schedule_message(time_point time, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override;
};

} // namespace troupe::actors::runtime
