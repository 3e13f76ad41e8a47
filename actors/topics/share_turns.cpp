// SPDX-License-Identifier: Apache-2.0
#include "actors/topics/share_turns.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace troupe::actors::topics {
namespace {

/// Spreads what differs in a few bits only.
std::uint64_t spread(std::uint64_t value) {
  value ^= value >> 33U;
  value *= 0xFF51AFD7ED558CCDU;
  value ^= value >> 33U;
  return value;
}

} // namespace

bool share_turns::by_turns() const {
  return policy_ == core::share_policy::round_robin ||
         policy_ == core::share_policy::local;
}

share_seat share_turns::next(const cluster::shared_audience& all,
                             const core::publication& what) {
  if (!by_turns())
    return seat_of(all, what, 0);
  if (turns_.size() >= remembered_max)
    turns_.clear();
  return seat_of(all, what,
                 turns_[cluster::interest_hash(all.share, all.filter)]++);
}

share_seat share_turns::peek(const cluster::shared_audience& all,
                             const core::publication& what) const {
  if (!by_turns() || turns_.size() >= remembered_max)
    return seat_of(all, what, 0);
  const auto at = turns_.find(cluster::interest_hash(all.share, all.filter));
  return seat_of(all, what, at == turns_.end() ? 0 : at->second);
}

share_seat share_turns::seat_of(const cluster::shared_audience& all,
                                const core::publication& what,
                                std::uint64_t turn) const {
  const auto here = all.here();
  switch (policy_) {
  case core::share_policy::local:
    if (here > 0)
      return {self_, static_cast<std::uint32_t>(turn % here)};
    break;
  case core::share_policy::round_robin:
    break;
  case core::share_policy::by_publisher:
    turn = spread(what.publisher * 31 + what.node.value());
    break;
  case core::share_policy::by_topic:
    turn = cluster::interest_hash({}, what.topic.text());
    break;
  }
  // In the order of the nodes, so that all count alike.
  auto nodes = all.peers;
  if (here > 0)
    nodes.emplace_back(self_, static_cast<std::uint32_t>(here));
  std::sort(nodes.begin(), nodes.end());
  auto which = turn % all.members();
  for (const auto& [node, members] : nodes) {
    if (which < members)
      return {node, static_cast<std::uint32_t>(which)};
    which -= members;
  }
  return {self_, 0}; // not reached: the members are those of the nodes
}

std::optional<share_seat>
share_turns::instead(const cluster::shared_audience& all,
                     std::size_t tried) const {
  if (tried == 0 && all.here() > 0)
    return share_seat{self_, 0};
  if (all.here() > 0)
    --tried;
  if (tried < all.peers.size())
    return share_seat{all.peers[tried].first, 0};
  return std::nullopt;
}

} // namespace troupe::actors::topics
