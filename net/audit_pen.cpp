// SPDX-License-Identifier: Apache-2.0
#include "net/audit_pen.hpp"

#include "actors/runtime/loop.hpp"
#include "net/ip_endpoint.hpp"
#include "net/kept_answer.hpp"

#include <memory>

namespace troupe::net {

void audit_pen::when_kept(core::audit_ticket ticket,
                          actors::runtime::loop& home,
                          std::function<void()> work) const {
  if (is_kept(ticket))
    return home.post(std::move(work));
  auto waiting = std::make_shared<std::function<void()>>(std::move(work));
  sink_->when_kept(ticket, [waiting = std::move(waiting), &home]() mutable {
    // Handed over as a whole: nothing of it may die on this thread.
    home.post([waiting = std::exchange(waiting, nullptr)] { (*waiting)(); });
  });
}

void audit_pen::when_kept(core::audit_ticket ticket,
                          std::function<void()> work) const {
  when_kept(ticket, *actors::runtime::loop::current(), std::move(work));
}

void audit_pen::answer(core::audit_ticket ticket, responder to,
                       std::function<void(const responder&)> send) const {
  answer_when_kept(sink_, ticket, std::move(to), std::move(send));
}

core::audit_ticket audit_pen::write(const connection_info& from,
                                    const door_note& what) const {
  const auto address = unmapped(from.peer.address).to_string();
  core::audit_entry entry;
  entry.kind = what.kind;
  entry.accepted = what.reason.empty();
  entry.session = from.id.value();
  entry.realm = realm_;
  entry.user = what.user;
  entry.address = address;
  entry.target = what.target;
  entry.targets = what.target.empty() ? 0 : 1;
  entry.type = what.type;
  entry.reason = what.reason;
  entry.size = what.payload.size();
  entry.payload = what.payload;
  return sink_->record(entry);
}

} // namespace troupe::net
