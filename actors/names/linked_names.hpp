// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/links/node_links.hpp"
#include "actors/names/name_wire.hpp"

namespace troupe::actors::names {

/// Claims of client ids, and their answers, over the links between nodes, in
/// the control lane. Owned by the node beside the links; it fills in
/// broker_context::names. Destroyed after the links and the actor system.
class linked_names final : public name_transport {
public:
  /// Registers for its kinds and for peers: before links.start(). Both outlive
  /// this.
  linked_names(broker_context& context, links::node_links& links);
  ~linked_names() override { context_.names = nullptr; }

  core::result<void> send(core::node_id to, names_way way, std::uint64_t key,
                          core::shared_bytes frame) override;

private:
  broker_context& context_;
  links::node_links& links_;
};

} // namespace troupe::actors::names
