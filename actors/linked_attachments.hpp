// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attachment_table.hpp"
#include "actors/context.hpp"
#include "actors/links/node_links.hpp"
#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <caf/fwd.hpp>

#include <cstdint>

namespace troupe::actors {

/// Sessions and inboxes on different nodes, over the links between them: what
/// sessions say in the control lane, what inboxes say in the bulk lane. Owned
/// by the node beside the links and made before the first session; it fills in
/// broker_context::attachments.
///
/// Order at the start: this, the actors of directory and shards, then
/// links.start(). At the end: sessions, the shards' retirement (which tells
/// sessions of other nodes), stop(), links.stop(), and only then the shards'
/// handles are let go. Destroyed after the links and the actor system.
class linked_attachments final : public attachment_transport {
public:
  /// Registers for its kinds and for peers: before links.start(). All of them
  /// outlive this, but `system` only has to until stop().
  linked_attachments(caf::actor_system& system, broker_context& context,
                     links::node_links& links);
  ~linked_attachments() override;

  [[nodiscard]] attachment_table& table() { return table_; }
  /// Ends all proxies; sessions and inboxes of other nodes are told by the end
  /// of the links.
  void stop() { table_.close(); }

  core::result<void> send(core::node_id to, attachment_way way,
                          std::uint64_t key, core::shared_bytes frame) override;

private:
  broker_context& context_;
  links::node_links& links_;
  attachment_table table_;
};

} // namespace troupe::actors
