// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/interest_board.hpp"
#include "core/ids.hpp"
#include "core/publication.hpp"
#include "core/share_policy.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace troupe::actors::topics {

/// One of those that share a subscription: the `which`th of those on a node.
struct share_seat {
  core::node_id node;
  std::uint32_t which = 0;

  friend bool operator==(const share_seat&, const share_seat&) = default;
};

/// Gives out the turns of shared subscriptions, where a publication is made.
/// The last two policies give the same answer on all nodes that know of the
/// same members. One thread.
class share_turns {
public:
  share_turns(core::node_id self, core::share_policy policy)
      : self_(self), policy_(policy) {}

  /// REQUIRES: it has members.
  [[nodiscard]] share_seat next(const cluster::shared_audience& all,
                                const core::publication& what);

  /// What next() would say.
  [[nodiscard]] share_seat peek(const cluster::shared_audience& all,
                                const core::publication& what) const;

  /// Instead of one on a node that can't be reached, the next one to be tried,
  /// on this node first; nothing: all have been.
  [[nodiscard]] std::optional<share_seat>
  instead(const cluster::shared_audience& all, std::size_t tried) const;

private:
  [[nodiscard]] bool by_turns() const;
  [[nodiscard]] share_seat seat_of(const cluster::shared_audience& all,
                                   const core::publication& what,
                                   std::uint64_t turn) const;

  /// Shared subscriptions whose turn is remembered; with more all begin anew,
  /// which is not fair for a moment and harms nobody.
  static constexpr std::size_t remembered_max = 65'536;

  const core::node_id self_;
  const core::share_policy policy_;
  std::unordered_map<std::uint64_t, std::uint64_t> turns_; // by hash
};

} // namespace troupe::actors::topics
