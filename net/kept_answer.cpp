// SPDX-License-Identifier: Apache-2.0
#include "net/kept_answer.hpp"

#include "actors/runtime/loop.hpp"

#include <memory>
#include <utility>

namespace troupe::net {

void answer_when_kept(core::audit_sink* sink, core::audit_ticket ticket,
                      responder to,
                      std::function<void(const responder&)> send) {
  if (sink == nullptr || sink->is_kept(ticket))
    return send(to);
  struct pending {
    responder to;
    std::function<void(const responder&)> send;
  };
  auto* home = &to.home();
  auto waiting =
      std::make_shared<pending>(pending{std::move(to), std::move(send)});
  sink->when_kept(ticket, [waiting = std::move(waiting), home]() mutable {
    // Handed over as a whole: nothing of it may die on this thread.
    home->post([waiting = std::exchange(waiting, nullptr)] {
      waiting->send(waiting->to);
    });
  });
}

} // namespace troupe::net
