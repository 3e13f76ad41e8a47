// SPDX-License-Identifier: Apache-2.0
#include "actors/context.hpp"

#include "actors/runtime/loop.hpp"
#include "core/shard_key.hpp"

#include <random>

namespace troupe::actors {

broker_context::broker_context(const core::clock& time, broker_options settings,
                               std::size_t loops)
    : clock(time), options(settings), leaders(settings.shards + 1U),
      views(settings.shards + 1U), announced(settings.shards + 1U),
      moves(settings.moves_per_node_max) {
  std::random_device random;
  for (std::size_t i = 0; i < loops; ++i) {
    origin fresh;
    // Random, so that no two lives of a node share one; 0 means "no key".
    fresh.id = (static_cast<std::uint64_t>(random()) << 32U | random()) | 1U;
    fresh.next.assign(options.shards + 1U, 1);
    origins_.push_back(std::move(fresh));
  }
}

core::group_id broker_context::group_of(const core::owner& inbox) const {
  return core::shard_of(inbox, options.shards);
}

core::idempotency_key broker_context::next_key(core::group_id group) {
  auto& mine = origins_[current_loop_index()];
  return {mine.id, mine.next[group.value()]++};
}

bool broker_context::may_balance_leaders(core::steady_time now) {
  auto last = balanced_.load();
  const auto ticks = now.time_since_epoch().count();
  const auto due = core::steady_time{core::steady_time::duration{last}} +
                   options.leader_balance_interval;
  return (last == 0 || now >= due) &&
         balanced_.compare_exchange_strong(last, ticks);
}

void broker_context::balance_leaders_now(core::steady_time now) {
  balance_until_.store(
      (now + std::chrono::minutes{1}).time_since_epoch().count());
}

bool broker_context::balances_leaders_now(core::steady_time now) const {
  return now.time_since_epoch().count() <
         balance_until_.load(std::memory_order_relaxed);
}

std::size_t current_loop_index() {
  const auto* loop = runtime::loop::current();
  return loop == nullptr ? 0 : loop->index();
}

} // namespace troupe::actors
