// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/hub.hpp"
#include "actors/runtime/loop.hpp"
#include "actors/runtime/scheduler.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace troupe::actors::runtime {

/// One hub a loop, and the way between them. A channel-like actor publishes a
/// batch once for each loop with subscribers, however many these are. Owned
/// by std::shared_ptr: what is under way to another loop holds it.
///
/// Batches of one publisher reach each subscriber in the order of
/// publication. What is under way is bounded by whoever bounds the publisher:
/// there is no queue here but the loops' inboxes.
///
/// In a system without loops (deterministic tests) there is one hub, and
/// publish() delivers before it returns.
template <class Key, class Batch, class Hash = std::hash<Key>>
class fan_out : public std::enable_shared_from_this<fan_out<Key, Batch, Hash>> {
public:
  using hub_type = hub<Key, Batch, Hash>;
  using batch_ptr = std::shared_ptr<const Batch>;

  /// Told on loop `index` when a key gets its first subscriber there, and
  /// when it has lost its last one: usually sends to the actor of the key,
  /// which so learns the `loops` for publish().
  using interest_hook =
      std::function<void(std::size_t index, const Key&, bool)>;

  explicit fan_out(caf::actor_system& system, interest_hook on_interest = {})
      : scheduler_(scheduler::find(system)),
        on_interest_(std::move(on_interest)) {
    const auto count = scheduler_ == nullptr ? 1 : scheduler_->size();
    for (std::size_t i = 0; i < count; ++i)
      hubs_.push_back(
          std::make_unique<hub_type>([this, i](const Key& key, bool any) {
            if (on_interest_)
              on_interest_(i, key, any);
          }));
  }

  /// The hub of the loop this runs on. REQUIRES: on a loop, if there are any.
  [[nodiscard]] hub_type& here() { return *hubs_[here_index()]; }
  /// The place of here(), for `loops`.
  [[nodiscard]] std::size_t here_index() const {
    if (scheduler_ == nullptr)
      return 0;
    const auto* current = loop::current();
    TROUPE_ASSERT(current != nullptr &&
                      current == &scheduler_->at(current->index()),
                  "a hub is used off its loop");
    return current->index();
  }

  /// On the publisher's own loop the subscribers are called before this
  /// returns. Any thread.
  void publish(const Key& key, const batch_ptr& batch,
               std::span<const std::size_t> loops) {
    const auto* current = loop::current();
    for (const auto index : loops) {
      if (scheduler_ == nullptr || current == &scheduler_->at(index)) {
        hubs_[index]->deliver(key, *batch);
        continue;
      }
      scheduler_->at(index).post(
          [self = this->shared_from_this(), index, key, batch] {
            self->hubs_[index]->deliver(key, *batch);
          });
    }
  }

private:
  scheduler* const scheduler_;
  const interest_hook on_interest_;
  std::vector<std::unique_ptr<hub_type>> hubs_;
};

} // namespace troupe::actors::runtime
