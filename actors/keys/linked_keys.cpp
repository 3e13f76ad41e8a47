// SPDX-License-Identifier: Apache-2.0
#include "actors/keys/linked_keys.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::actors::keys {
namespace {

constexpr links::kind kind_of(keys_way way) {
  return way == keys_way::question ? links::kind::key_question
                                   : links::kind::key_answer;
}

} // namespace

linked_keys::linked_keys(broker_context& context, links::node_links& links)
    : links_(links) {
  for (const auto way : {keys_way::question, keys_way::answer})
    links.on_message(kind_of(way), [&context, way](const links::received& m) {
      // On the loop for which it is; early ones are asked again.
      const auto loop = current_loop_index();
      if (loop < context.key_actors.size())
        caf::anon_send(context.key_actors[loop],
                       keys_frame{m.from, way, m.body, m.credit});
    });
}

core::result<void> linked_keys::send(core::node_id to, keys_way way,
                                     std::uint64_t key,
                                     core::shared_bytes frame) {
  return links_.send(to, kind_of(way), key, std::move(frame));
}

} // namespace troupe::actors::keys
