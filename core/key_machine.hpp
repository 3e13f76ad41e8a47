// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/key_command.hpp"
#include "core/key_store.hpp"
#include "core/shard_outcome.hpp"

#include <cstdint>
#include <string_view>

namespace troupe::core {

/// Told what an applied command changed about a key, while it is applied.
class key_observer {
public:
  virtual ~key_observer() = default;
  virtual void on_key_set(std::string_view realm, std::string_view topic,
                          const key_record& record,
                          const publication_content& content) = 0;
  /// Cleared or expired.
  virtual void on_key_gone(std::string_view realm, std::string_view topic) = 0;
};

/// The rules of retained keys: one value per realm and topic, with a revision
/// and perhaps an end. Deterministic. A part of the shard_machine.
///
/// Failures: name_invalid (realm or topic, or a topic that has no place, see
/// key_store), too_large (a topic above topic_limits), conflict (not the
/// expected revision; the outcome has the one that is), storage_full (above
/// the policy; what makes nothing bigger is never refused for it).
class key_machine {
public:
  /// The store must outlive the machine; `observer` may be null.
  key_machine(key_store& store, key_observer* observer);

  /// The raw bytes of `at` become the stored value.
  shard_outcome execute(const set_key& c, const shard_context& at);
  shard_outcome execute(const clear_key& c, const shard_context& at);
  shard_outcome execute(const set_key_policy& c, const shard_context& at);
  /// Removes up to `limit` expired ones; true if more may be due.
  bool sweep(timestamp now, std::uint32_t limit);

  [[nodiscard]] const key_policy& policy() const noexcept { return policy_; }

private:
  void remove(std::string_view realm, std::string_view topic,
              const key_record& record);

  key_store& store_;
  key_observer* observer_;
  key_policy policy_;
};

} // namespace troupe::core
