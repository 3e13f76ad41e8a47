// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/topic_filter.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace troupe::net::mqtt {

/// Which values of which topics a client has been given lately, so that it does
/// not get an older one last. Bounded: what was noted first is forgotten first.
class retained_memory {
public:
  /// Counts what happens, in its order.
  using moment = std::uint64_t;

  explicit retained_memory(std::size_t topics_max) : topics_max_(topics_max) {}

  [[nodiscard]] moment now() { return ++now_; }

  /// Whose retained message it was.
  using subscription_filter = std::shared_ptr<const core::topic_filter>;

  [[nodiscard]] bool knows(std::string_view topic) const {
    return known_.contains(std::string{topic});
  }
  /// A publication has reached the client, for that subscription among others.
  /// False: a newer one had before.
  bool on_live(std::string_view topic, std::uint64_t revision,
               const subscription_filter& of) {
    return note(topic, revision, of, true);
  }
  /// A retained one has.
  void on_kept(std::string_view topic, std::uint64_t revision,
               const subscription_filter& of) {
    note(topic, revision, of, false);
  }
  /// The subscription by which the newest one came. REQUIRES: knows(topic).
  [[nodiscard]] const subscription_filter&
  last_of(std::string_view topic) const {
    return known_.at(std::string{topic}).of;
  }

  /// Whether a retained message for a subscription of `since` would come too
  /// late: after a newer one, or after the same one has come since.
  [[nodiscard]] bool is_superseded(std::string_view topic,
                                   std::uint64_t revision, moment since) const {
    const auto at = known_.find(std::string{topic});
    if (at == known_.end())
      return false;
    const auto& last = at->second;
    return last.revision > revision ||
           (last.revision == revision && last.when > since);
  }
  /// Something that was published after that was forgotten: what was read
  /// before may be older than it.
  [[nodiscard]] bool forgot_since(moment since) const {
    return forgotten_ > since;
  }
  [[nodiscard]] bool empty() const { return known_.empty(); }
  [[nodiscard]] std::size_t size() const { return known_.size(); }
  void clear() {
    std::unordered_map<std::string, entry>{}.swap(known_);
    std::deque<std::string>{}.swap(order_);
  }

private:
  struct entry {
    std::uint64_t revision = 0;
    moment when = 0;
    bool live = false;
    subscription_filter of;
  };

  bool note(std::string_view topic, std::uint64_t revision,
            const subscription_filter& of, bool live) {
    const auto [at, fresh] = known_.try_emplace(std::string{topic});
    if (!fresh && at->second.revision > revision)
      return false;
    at->second = {revision, now(), live || at->second.live, of};
    if (fresh) {
      order_.emplace_back(topic);
      if (order_.size() > topics_max_)
        forget_first();
    }
    return true;
  }
  void forget_first() {
    const auto at = known_.find(order_.front());
    if (at->second.live)
      forgotten_ = now();
    known_.erase(at);
    order_.pop_front();
  }

  const std::size_t topics_max_;
  std::unordered_map<std::string, entry> known_;
  std::deque<std::string> order_;
  moment now_ = 0;
  moment forgotten_ = 0;
};

} // namespace troupe::net::mqtt
