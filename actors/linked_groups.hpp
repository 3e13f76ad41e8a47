// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/group_transport.hpp"
#include "actors/links/node_links.hpp"
#include "actors/messages.hpp"
#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <functional>

namespace troupe::actors {

/// The frames of replicated groups over the links between nodes: votes, answers
/// and beats in the control lane, the rest in the bulk lane. Owned by the node
/// beside the links; outlives the groups' actors.
class linked_groups final : public group_transport {
public:
  /// On any loop: a frame for a group of this node.
  using deliver_function = std::function<void(core::group_id, group_frame)>;

  /// Registers for its kinds: before links.start(). `links` outlives this.
  linked_groups(links::node_links& links, deliver_function deliver);

  bool send(core::node_id to, core::group_id group, group_frame_kind kind,
            core::shared_bytes bytes) override;
  [[nodiscard]] bool reaches(core::node_id node) const override {
    return links_.reaches(node);
  }

private:
  void on_message(const links::received& message) const;

  links::node_links& links_;
  deliver_function deliver_;
};

} // namespace troupe::actors
