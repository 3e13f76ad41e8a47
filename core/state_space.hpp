// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

namespace troupe::core {

/// Longest key of a state space, in bytes. Longer names are hashed or bounded
/// by the caller; a longer key is a programmer's error (assert).
inline constexpr std::size_t state_key_bytes_max = 480;

/// The durable state of one replication group as the rules see it: an ordered
/// map from byte keys to byte values, compared as unsigned bytes. Nobody waits
/// for a disk to write: what is put is visible at once and becomes durable
/// later, always as of a checkpoint.
///
/// One thread, the group's owner, calls put, erase and checkpoint; get
/// and scan may run on any thread at the same time. Implemented by
/// storage::state_store and, for tests, by
/// tests/support/memory_state_space.hpp.
class state_space {
public:
  virtual ~state_space() = default;

  /// Sees one key and its value; returns false to end the scan.
  using visitor =
      std::function<bool(std::string_view key, const shared_bytes& value)>;

  /// The value under `key`, or nothing.
  [[nodiscard]] virtual std::optional<shared_bytes>
  get(std::string_view key) const = 0;

  /// Replaces what is there.
  virtual void put(std::string_view key, shared_bytes value) = 0;

  /// No such key is no error.
  virtual void erase(std::string_view key) = 0;

  /// Visits, in ascending order, the keys which start with `prefix` and are
  /// not below `from` (an empty `from` is the start of the prefix). The owner
  /// may put and erase from inside the visitor: a key that exists during the
  /// whole scan is seen exactly once, one that comes or goes meanwhile may or
  /// may not be.
  virtual void scan(std::string_view prefix, std::string_view from,
                    const visitor& visit) const = 0;

  /// All that was put and erased so far is the result of applying the log
  /// through `applied`. Only whole checkpoints become durable. Ascending.
  virtual void checkpoint(log_index applied) = 0;

  /// Index of the newest checkpoint, durable or not; 0 if there is none.
  [[nodiscard]] virtual log_index applied() const = 0;
};

} // namespace troupe::core
