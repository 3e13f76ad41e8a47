// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/assert.hpp"
#include "core/state_space.hpp"

#include <map>
#include <string>
#include <utility>

namespace troupe::test {

/// A state space in memory, for tests of the rules. One thread only. Nothing
/// is durable, but `crash()` forgets what follows the last checkpoint as a
/// store that had just committed would.
class memory_state_space final : public core::state_space {
public:
  using contents = std::map<std::string, core::shared_bytes, std::less<>>;

  [[nodiscard]] std::optional<core::shared_bytes>
  get(std::string_view key) const override {
    auto at = current_.find(key);
    if (at == current_.end())
      return std::nullopt;
    return at->second;
  }

  void put(std::string_view key, core::shared_bytes value) override {
    TROUPE_ASSERT(key.size() <= core::state_key_bytes_max,
                  "state key too long");
    current_.insert_or_assign(std::string{key}, std::move(value));
  }

  void erase(std::string_view key) override {
    if (auto at = current_.find(key); at != current_.end())
      current_.erase(at);
  }

  void scan(std::string_view prefix, std::string_view from,
            const visitor& visit) const override {
    // The visitor may change the map: look the place up again at each step.
    auto at = current_.lower_bound(from < prefix ? prefix : from);
    while (at != current_.end() && at->first.starts_with(prefix)) {
      const auto [key, value] = *at;
      if (!visit(key, value))
        return;
      at = current_.upper_bound(key);
    }
  }

  void checkpoint(core::log_index applied) override {
    TROUPE_ASSERT(applied >= applied_, "checkpoints ascend");
    applied_ = applied;
    if (keep_checkpoints_)
      checkpointed_ = current_;
  }

  [[nodiscard]] core::log_index applied() const override { return applied_; }

  /// From now on every checkpoint is copied so that crash() can return to it.
  void keep_checkpoints() {
    keep_checkpoints_ = true;
    checkpointed_ = current_;
  }

  /// Back to the last checkpoint. REQUIRES: keep_checkpoints() was called.
  void crash() {
    TROUPE_ASSERT(keep_checkpoints_, "checkpoints were not kept");
    current_ = checkpointed_;
  }

  /// All so far is durable now. REQUIRES: between checkpoints nothing was put.
  void commit() {
    durable_ = current_;
    durable_applied_ = applied_;
  }
  /// Back to the last commit(), or to nothing.
  void lose_uncommitted() {
    current_ = durable_;
    applied_ = durable_applied_;
  }
  /// Everything is replaced, durably.
  void replace(contents all, core::log_index applied) {
    current_ = std::move(all);
    applied_ = applied;
    commit();
  }

  [[nodiscard]] const contents& all() const { return current_; }

private:
  contents current_;
  contents checkpointed_;
  contents durable_;
  core::log_index durable_applied_;
  core::log_index applied_;
  bool keep_checkpoints_ = false;
};

} // namespace troupe::test
