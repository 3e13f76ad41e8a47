// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/actor_registry.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <chrono>

namespace troupe::actors::runtime {

// --- registry_entry --------------------------------------------------------

registry_entry::~registry_entry() {
  TROUPE_ASSERT(shard_ == nullptr, "an entry died before it was withdrawn");
}

std::uint32_t registry_entry::mailbox_length() const noexcept {
  // Read in this order a message can't be seen as handled but not enqueued.
  const auto handled = handled_.load(std::memory_order_relaxed);
  const auto enqueued = enqueued_.load(std::memory_order_relaxed);
  const auto length = enqueued - static_cast<std::uint32_t>(handled);
  return length > UINT32_MAX / 2 ? 0 : length;
}

void registry_entry::remember_error(std::string_view text) {
  if (last_error_ == nullptr)
    last_error_ = std::make_unique<std::string>();
  last_error_->assign(text);
}

void registry_entry::enrol(registry_shard& shard, core::timestamp now) {
  TROUPE_ASSERT(shard_ == nullptr, "enrolled twice");
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  enrolled_seconds_ =
      static_cast<std::uint32_t>(seconds.time_since_epoch().count());
  slot_ = shard.add(*this);
  shard_ = &shard;
}

void registry_entry::withdraw() noexcept {
  if (shard_ != nullptr) {
    shard_->remove(slot_);
    shard_ = nullptr;
  }
}

// --- registry_shard --------------------------------------------------------

std::uint32_t registry_shard::add(registry_entry& entry) {
  const std::lock_guard lock{mutex_};
  size_.fetch_add(1, std::memory_order_relaxed);
  if (free_.empty()) {
    slots_.push_back(&entry);
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const auto slot = free_.back();
  free_.pop_back();
  slots_[slot] = &entry;
  return slot;
}

void registry_shard::remove(std::uint32_t slot) noexcept {
  const std::lock_guard lock{mutex_};
  size_.fetch_sub(1, std::memory_order_relaxed);
  slots_[slot] = nullptr;
  free_.push_back(slot);
}

actor_page registry_shard::page(std::size_t slot, std::size_t entries_max,
                                std::string_view path_prefix) const {
  const std::lock_guard lock{mutex_};
  actor_page result;
  const auto end = std::min(slots_.size(), slot + slots_per_page_max);
  for (; slot < end && result.actors.size() < entries_max; ++slot) {
    const auto* entry = slots_[slot];
    if (entry == nullptr)
      continue;
    auto path = entry->path();
    if (!std::string_view{path}.starts_with(path_prefix))
      continue;
    auto& info = result.actors.emplace_back();
    info.path = std::move(path);
    info.kind = entry->kind();
    info.number = entry->actor_number();
    info.loop = index_;
    info.messages_handled = entry->messages_handled();
    info.mailbox_length = entry->mailbox_length();
    info.messages_dropped = entry->messages_dropped();
    info.spawned = entry->enrolled();
    if (entry->last_error_ != nullptr)
      info.last_error = *entry->last_error_;
  }
  if (slot < slots_.size())
    result.next = registry_cursor{index_, slot};
  return result;
}

void registry_shard::add_failure(actor_failure failure) {
  failure.loop = index_;
  const std::lock_guard lock{mutex_};
  if (failures_.size() == failures_kept)
    failures_.pop_front();
  failures_.push_back(std::move(failure));
}

std::vector<actor_failure> registry_shard::failures() const {
  const std::lock_guard lock{mutex_};
  return {failures_.begin(), failures_.end()};
}

// --- actor_registry --------------------------------------------------------

actor_registry::actor_registry(std::size_t shards) {
  TROUPE_ASSERT(shards > 0, "a registry without shards");
  for (std::size_t i = 0; i < shards; ++i)
    shards_.push_back(std::make_unique<registry_shard>(i));
}

std::size_t actor_registry::size() const noexcept {
  std::size_t sum = 0;
  for (const auto& shard : shards_)
    sum += shard->size();
  return sum;
}

actor_page actor_registry::page(const actor_query& query) const {
  if (query.from.shard >= shards_.size())
    return {};
  auto result = shards_[query.from.shard]->page(
      query.from.slot, query.entries_max, query.path_prefix);
  if (!result.next && query.from.shard + 1 < shards_.size())
    result.next = registry_cursor{query.from.shard + 1, 0};
  return result;
}

std::vector<actor_failure> actor_registry::failures() const {
  std::vector<actor_failure> all;
  for (const auto& shard : shards_) {
    auto some = shard->failures();
    all.insert(all.end(), std::make_move_iterator(some.begin()),
               std::make_move_iterator(some.end()));
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.when < b.when;
  });
  return all;
}

} // namespace troupe::actors::runtime
