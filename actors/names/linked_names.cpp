// SPDX-License-Identifier: Apache-2.0
#include "actors/names/linked_names.hpp"

#include <utility>

namespace troupe::actors::names {
namespace {

constexpr links::kind kind_of(names_way way) {
  return way == names_way::to_shard ? links::kind::name_claim
                                    : links::kind::name_answer;
}

} // namespace

linked_names::linked_names(broker_context& context, links::node_links& links)
    : context_(context), links_(links) {
  for (const auto way : {names_way::to_shard, names_way::to_desk})
    links.on_message(kind_of(way), [&context, way](const links::received& m) {
      take_name_frame(context, m.from, way, m.key, m.body, m.credit);
    });
  links.on_peer([&context](const links::peer_event& event) {
    if (!event.up)
      tell_names_cut(context, event.peer);
  });
  context.names = this;
}

core::result<void> linked_names::send(core::node_id to, names_way way,
                                      std::uint64_t key,
                                      core::shared_bytes frame) {
  return links_.send(to, kind_of(way), key, std::move(frame));
}

} // namespace troupe::actors::names
