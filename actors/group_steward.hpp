// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/group_transport.hpp"
#include "actors/replica.hpp"
#include "cluster/placement.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"

#include <map>
#include <optional>

namespace troupe::actors {

/// Takes one group to where the directory says it shall be: on the group's
/// leader, one change of its members or leader at a time, whenever the last one
/// is done (cluster/placement.hpp). Owned by the group's host; a replica that
/// does not lead does nothing.
class group_steward {
public:
  /// All of it outlives the steward. Without a transport there are no others.
  group_steward(core::group_id group, broker_context& context,
                replica& replicated, const group_transport* transport);

  /// At each tick of the group. Changes memory only: settle the group
  /// afterwards.
  void on_tick();
  /// Gives leadership to whoever is nearest to the end of the log of those that
  /// may be elected, at once.
  /// False if there is nobody.
  bool hand_over();

private:
  /// It has all there is, and can be told to lead this moment: one without a
  /// link would keep the group from its work until the transfer is given up.
  [[nodiscard]] bool caught_up(core::node_id node) const;
  [[nodiscard]] bool may_win(core::node_id node) const;
  void watch_followers();
  void watch_moves(const cluster::group_wish& wish);
  void carry_out(const cluster::group_step& step, bool leads_rightly);
  void prefer(core::node_id node);
  [[nodiscard]] bool gives_way(const cluster::group_wish& wish);

  core::group_id group_;
  broker_context& context_;
  replica& replica_;
  const group_transport* transport_;
  core::steady_time looked_{};
  bool moving_ = false;
  /// Since when there is a voter that serves more nodes than this one.
  std::optional<core::steady_time> surpassed_since_;
  /// Since when a follower has had all there is.
  std::map<core::node_id, core::steady_time> steady_since_;
};

} // namespace troupe::actors
