// SPDX-License-Identifier: Apache-2.0
#include "actors/context.hpp"

#include "actors/runtime/loop.hpp"
#include "core/shard_key.hpp"

#include <mutex>

namespace troupe::actors {

broker_context::broker_context(const core::clock& time, broker_options settings,
                               std::size_t loops)
    : clock(time), options(settings), leaders(settings.shards + 1U),
      views(settings.shards + 1U), announced(settings.shards + 1U),
      moves(settings.moves_per_node_max), keys_(loops) {
  for (auto& keys : keys_)
    keys.of.resize(options.shards + 1U);
}

core::group_id broker_context::group_of(const core::owner& inbox) const {
  return core::shard_of(inbox, options.shards);
}

const courier_actor& broker_context::courier() const {
  return couriers[current_loop_index() % couriers.size()];
}

bool broker_context::routes_are_fresh() const {
  if (!options.clustered)
    return true;
  const core::steady_time heard{core::steady_time::duration{
      directory_heard.load(std::memory_order_relaxed)}};
  return clock.now() - heard <= options.routes_trusted_for;
}

std::optional<core::idempotency_key>
broker_context::take_key(core::group_id group) {
  auto& mine = keys_[current_loop_index()];
  const std::lock_guard lock{mine.mutex};
  return mine.of[group.value()].take();
}

void broker_context::give_back(core::group_id group,
                               const core::idempotency_key& key) {
  auto& mine = keys_[current_loop_index()];
  const std::lock_guard lock{mine.mutex};
  mine.of[group.value()].give_back(key);
}

bool broker_context::surely_leads(core::group_id group) const {
  if (!options.clustered)
    return true;
  return clock.now().time_since_epoch().count() <
         views[group.value()].lease_end.load(std::memory_order_relaxed);
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
