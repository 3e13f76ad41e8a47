// SPDX-License-Identifier: Apache-2.0
#include "actors/channels/channel_host.hpp"

#include "actors/channels/channel_actor.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/scheduler.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::actors::channels {
namespace {

std::string key_of(std::string_view realm, std::string_view topic) {
  std::string key;
  key.reserve(realm.size() + 1 + topic.size());
  key.append(realm).append(1, '\0').append(topic);
  return key;
}

void count(channel_stats::counter& what) {
  what.fetch_add(1, std::memory_order_relaxed);
}

} // namespace

channel_host::channel_host(caf::actor_system& system, const core::clock& clock,
                           channel_options options)
    : system_(system), clock_(clock), options_(options) {}

channel_host::~channel_host() = default;

channel_host::slot* channel_host::find_or_make(stripe& in, std::string key,
                                               std::string_view realm,
                                               std::string_view topic,
                                               std::size_t hash) {
  if (const auto at = in.slots.find(key); at != in.slots.end())
    return &at->second;
  if (retired_.load(std::memory_order_relaxed))
    return nullptr;
  if (stats_.live.fetch_add(1, std::memory_order_relaxed) >=
      options_.channels_max) {
    stats_.live.fetch_sub(1, std::memory_order_relaxed);
    count(stats_.unshown);
    return nullptr;
  }
  auto* loops = runtime::scheduler::find(system_);
  slot fresh;
  fresh.summary =
      std::make_shared<channel_summary>(std::string{realm}, std::string{topic});
  fresh.actor = runtime::spawn_pinned<channel_actor, channel_state>(
      system_, loops == nullptr ? nullptr : &loops->home_for(hash),
      channel_behavior, channel_deps{this, fresh.summary});
  count(stats_.born);
  return &in.slots.emplace(std::move(key), std::move(fresh)).first->second;
}

channel_actor channel_host::open(std::string_view realm,
                                 std::string_view topic) {
  auto key = key_of(realm, topic);
  const auto hash = std::hash<std::string>{}(key);
  auto& where = stripes_[hash % stripes];
  const std::lock_guard lock{where.mutex};
  auto* found =
      find_or_make(where, std::move(key), realm, topic, hash / stripes);
  if (found == nullptr)
    return channel_actor{};
  ++found->begun;
  return found->actor;
}

void channel_host::keep(std::string_view realm, std::string_view topic) {
  auto key = key_of(realm, topic);
  const auto hash = std::hash<std::string>{}(key);
  auto& where = stripes_[hash % stripes];
  const std::lock_guard lock{where.mutex};
  find_or_make(where, std::move(key), realm, topic, hash / stripes);
}

channel_actor channel_host::find(std::string_view realm,
                                 std::string_view topic) const {
  const auto key = key_of(realm, topic);
  const auto& where = stripes_[std::hash<std::string>{}(key) % stripes];
  const std::lock_guard lock{where.mutex};
  const auto at = where.slots.find(key);
  return at == where.slots.end() ? channel_actor{} : at->second.actor;
}

std::vector<std::shared_ptr<const channel_summary>> channel_host::list() const {
  std::vector<std::shared_ptr<const channel_summary>> all;
  all.reserve(stats_.live.load(std::memory_order_relaxed));
  for (const auto& each : stripes_) {
    const std::lock_guard lock{each.mutex};
    for (const auto& [key, place] : each.slots)
      all.push_back(place.summary);
  }
  return all;
}

bool channel_host::passivate(std::string_view realm, std::string_view topic,
                             std::uint64_t begun) {
  const auto key = key_of(realm, topic);
  auto& where = stripes_[std::hash<std::string>{}(key) % stripes];
  const std::lock_guard lock{where.mutex};
  const auto at = where.slots.find(key);
  if (at == where.slots.end())
    return true; // retired
  // Under the lock: what is kept from now on finds no actor and makes one.
  if (at->second.begun != begun || kept(realm, topic).messages > 0)
    return false;
  where.slots.erase(at);
  stats_.live.fetch_sub(1, std::memory_order_relaxed);
  count(stats_.passivated);
  return true;
}

void channel_host::retire() {
  retired_.store(true, std::memory_order_relaxed);
  for (auto& each : stripes_) {
    std::unordered_map<std::string, slot> ended;
    {
      const std::lock_guard lock{each.mutex};
      ended.swap(each.slots);
    }
    stats_.live.fetch_sub(ended.size(), std::memory_order_relaxed);
    for (auto& [key, place] : ended)
      caf::anon_send(place.actor, actors::retire{});
  }
}

} // namespace troupe::actors::channels
