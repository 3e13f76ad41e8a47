// SPDX-License-Identifier: Apache-2.0
#include "actors/linked_attachments.hpp"

#include <utility>

namespace troupe::actors {
namespace {

constexpr links::kind kind_of(attachment_way way) {
  return way == attachment_way::to_inbox ? links::kind::session
                                         : links::kind::deliveries;
}

} // namespace

linked_attachments::linked_attachments(caf::actor_system& system,
                                       broker_context& context,
                                       links::node_links& links)
    : context_(context), links_(links), table_(system, context, *this) {
  for (const auto way : {attachment_way::to_inbox, attachment_way::to_session})
    links.on_message(kind_of(way), [this, way](const links::received& m) {
      table_.on_frame(way, {m.from, m.peer.value(), m.body, m.credit});
    });
  links.on_peer([this](const links::peer_event& event) {
    if (!event.up)
      table_.on_peer_down(event.peer);
  });
  context.attachments = &table_;
}

linked_attachments::~linked_attachments() { context_.attachments = nullptr; }

core::result<void> linked_attachments::send(core::node_id to,
                                            attachment_way way,
                                            std::uint64_t key,
                                            core::shared_bytes frame) {
  return links_.send(to, kind_of(way), key, std::move(frame));
}

} // namespace troupe::actors
