// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_door.hpp"

#include "actors/runtime/loop.hpp"
#include "net/mqtt/session.hpp"

#include <functional>
#include <utility>

namespace troupe::net {

void mqtt_door::start(const parts& with) {
  house_.open({with.topics, with.logins, with.judge, with.live, with.clock,
               with.self,
               [] {
                 auto* home = actors::runtime::loop::current();
                 return [home](std::function<void()> work) {
                   home->post(std::move(work));
                 };
               },
               with.audit, with.keys, with.clients, with.log, with.elsewhere});
}

std::unique_ptr<protocol> mqtt_door::accept(protocol_host& host,
                                            own_denial denied) {
  return std::make_unique<mqtt::session>(house_, host, mqtt::carrier::stream,
                                         denied);
}

std::unique_ptr<protocol> mqtt_door::upgrade(protocol_host& host,
                                             own_denial denied) {
  return std::make_unique<mqtt::session>(house_, host, mqtt::carrier::websocket,
                                         denied);
}

} // namespace troupe::net
