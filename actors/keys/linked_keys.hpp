// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/keys/keys_actor.hpp"
#include "actors/links/node_links.hpp"

namespace troupe::actors::keys {

/// Questions for retained keys, and their answers, over the links between
/// nodes, in the bulk lane. Owned by the node beside the links; outlives the
/// actors of keys.
class linked_keys final : public keys_transport {
public:
  /// Registers for its kinds: before links.start(). Both outlive this.
  linked_keys(broker_context& context, links::node_links& links);

  core::result<void> send(core::node_id to, keys_way way, std::uint64_t key,
                          core::shared_bytes frame) override;

private:
  links::node_links& links_;
};

} // namespace troupe::actors::keys
