// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace troupe::core {

/// Remembers values by key for a time, the latest so many of them. Thread-safe:
/// one short lock a call.
template <class Value>
class keyed_cache {
public:
  /// `most` > 0.
  keyed_cache(std::size_t most, milliseconds time) : most_(most), time_(time) {}

  [[nodiscard]] std::optional<Value> find(std::string_view key,
                                          steady_time now) {
    const std::lock_guard lock{mutex_};
    const auto at = places_.find(key);
    if (at == places_.end())
      return std::nullopt;
    if (now >= at->second->until) {
      forget(at);
      return std::nullopt;
    }
    return at->second->value;
  }

  void put(std::string key, Value value, steady_time now) {
    const std::lock_guard lock{mutex_};
    if (const auto at = places_.find(key); at != places_.end())
      forget(at);
    // All live equally long: the oldest are the first to end.
    while (!kept_.empty() &&
           (kept_.size() >= most_ || now >= kept_.front().until))
      forget(places_.find(kept_.front().key));
    kept_.push_back({std::move(key), std::move(value), now + time_});
    places_.emplace(kept_.back().key, std::prev(kept_.end()));
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return kept_.size();
  }

private:
  struct entry {
    std::string key;
    Value value;
    steady_time until;
  };
  using places =
      std::unordered_map<std::string_view, typename std::list<entry>::iterator>;

  void forget(typename places::iterator at) {
    const auto gone = at->second;
    places_.erase(at); // looks at the key
    kept_.erase(gone);
  }

  const std::size_t most_;
  const milliseconds time_;
  mutable std::mutex mutex_;
  std::list<entry> kept_;
  places places_; ///< keys are views into kept_
};

} // namespace troupe::core
