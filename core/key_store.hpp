// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/key_command.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::core {

/// Everything about a retained key but its value.
struct key_record {
  /// The log entry that set it: where its value is kept, and its revision,
  /// which so ascends over all keys of a shard and is never used again.
  log_index source;
  timestamp changed{};
  std::optional<timestamp> expires;
  std::uint32_t weight = 0;

  [[nodiscard]] std::uint64_t revision() const noexcept {
    return source.value();
  }
  /// Its time is over, though no sweep has come by yet.
  [[nodiscard]] bool is_expired(timestamp now) const noexcept {
    return expires && *expires < now;
  }

  friend bool operator==(const key_record&, const key_record&) = default;
};

/// What all keys of a shard take, expired ones that still lie there included.
struct key_totals {
  std::uint64_t keys = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const key_totals&, const key_totals&) = default;
};

/// Typed tables of the retained keys of one data shard, as the key machine
/// needs them. Owned by the shard's actor; const functions may be called by
/// several threads if the implementation says so. Implemented over a
/// state_space in schema/, in plain memory in tests.
///
/// A topic is given by its text, whose bounds are those of topic_limits.
class key_store {
public:
  virtual ~key_store() = default;

  virtual std::optional<key_record> key(std::string_view realm,
                                        std::string_view topic) const = 0;
  /// False, and nothing is changed, if the topic has no place: there is
  /// another one of the same first bytes and the same hash. Never so for topics
  /// of 300 bytes and less.
  virtual bool put_key(std::string_view realm, std::string_view topic,
                       const key_record& record) = 0;
  virtual void erase_key(std::string_view realm, std::string_view topic) = 0;

  using key_visitor =
      std::function<bool(std::string_view topic, const key_record& record)>;
  /// Keys in a fixed order, about that of the bytes of topics, behind `after`
  /// if it is given. All whose topic starts with `beginning` are among them,
  /// others may be. The visitor returns false to stop and must not change the
  /// store.
  virtual void each_key(std::string_view realm, std::string_view beginning,
                        const std::optional<std::string>& after,
                        const key_visitor& visit) const = 0;

  /// The command that set a key, kept as it came.
  virtual void put_value(log_index source, const shared_bytes& command) = 0;
  virtual std::optional<shared_bytes> value(log_index source) const = 0;
  virtual void erase_value(log_index source) = 0;

  /// Index of what expires when: (time, source).
  struct key_expiry {
    timestamp when;
    log_index source;
    std::string realm;
    std::string topic;

    friend bool operator==(const key_expiry&, const key_expiry&) = default;
  };
  virtual void put_key_expiry(const key_expiry& expiry) = 0;
  virtual void erase_key_expiry(timestamp when, log_index source) = 0;
  /// Up to `limit` that expired before `now`, oldest first.
  virtual std::vector<key_expiry> expired_keys(timestamp now,
                                               std::size_t limit) const = 0;

  virtual key_totals totals_of_keys() const = 0;
  virtual void put_totals_of_keys(const key_totals& totals) = 0;
  virtual core::key_policy policy_of_keys() const = 0;
  virtual void put_policy_of_keys(const core::key_policy& policy) = 0;
};

} // namespace troupe::core
