// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/messages.hpp"
#include "cluster/proposal_wire.hpp"
#include "core/ids.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace troupe::actors {

/// Who wants an answer of a replicated group.
template <class Client>
struct group_asker {
  Client local;
  core::node_id node;        ///< or a replica on this one
  actors::ticket ticket = 0; ///< 0: the group itself

  [[nodiscard]] bool is_local() const {
    return ticket != 0 && node == core::node_id{};
  }
};

/// Answers of a group that leave at the end of a turn, one message for each
/// asker and one frame for each node. `Client` is the handle of an asker here,
/// `Answers` the message it gets. Owned by the group, used on its loop; bounded
/// by what was asked in the turn.
template <class Client, class Answers>
class answer_outbox {
public:
  using asker = group_asker<Client>;
  using outcome_type = decltype(decltype(Answers::items)::value_type::outcome);
  using remote_answer = cluster::forwarded_answer<outcome_type>;

  void put(const asker& to, outcome_type outcome, core::node_id leader) {
    if (to.node != core::node_id{}) {
      remote_[to.node].push_back({to.ticket, std::move(outcome), leader});
      return;
    }
    // Answers for one asker usually come in a row.
    auto at = std::find_if(local_.rbegin(), local_.rend(),
                           [&](const auto& o) { return o.first == to.local; });
    if (at == local_.rend()) {
      local_.push_back({to.local, {}});
      at = local_.rbegin();
    }
    at->second.items.push_back({to.ticket, std::move(outcome), leader});
  }

  /// `to_client(client, answers)` and `to_node(node, frame)` send them.
  template <class ToClient, class ToNode>
  void send(ToClient to_client, ToNode to_node) {
    for (auto& [client, answers] : std::exchange(local_, {}))
      to_client(client, std::move(answers));
    if (remote_.empty())
      return;
    for (const auto& [node, items] : std::exchange(remote_, {}))
      to_node(node, cluster::encode(items));
  }

private:
  std::vector<std::pair<Client, Answers>> local_;
  std::map<core::node_id, std::vector<remote_answer>> remote_;
};

} // namespace troupe::actors
