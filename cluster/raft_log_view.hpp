// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft_message.hpp"
#include "core/ids.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

namespace troupe::cluster {

/// The part of the log that is in memory: entries [first(), last()], and the
/// terms of the snapshot's last entry and of the entry before first(). Owned
/// by one raft object. It knows nothing of disks; that is the raft's business.
class raft_log_view {
public:
  /// Index of the first entry in memory, last() + 1 if there is none.
  [[nodiscard]] core::log_index first() const { return first_; }
  [[nodiscard]] core::log_index last() const {
    return core::log_index{first_.value() + entries_.size() - 1};
  }
  [[nodiscard]] core::term last_term() const;
  /// Payload bytes in memory.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  [[nodiscard]] bool contains(core::log_index index) const {
    return index >= first_ && index <= last();
  }
  /// Term of the entry, 0 for index 0, nothing if unknown.
  [[nodiscard]] std::optional<core::term> term_at(core::log_index index) const;
  /// REQUIRES: contains(index).
  [[nodiscard]] const entry& at(core::log_index index) const;

  void append(entry e);
  /// Drops entries from `from` on. REQUIRES: from >= first().
  void truncate(core::log_index from);
  /// Drops entries up to `through`. REQUIRES: through < first() or contained.
  void trim(core::log_index through);
  /// Forgets all entries; the log continues after a snapshot at `index`.
  void reset(core::log_index index, core::term term);
  /// The term at `index` stays known after its entry was trimmed.
  void set_snapshot(core::log_index index, core::term term);

private:
  struct position {
    core::log_index index;
    core::term term;
  };

  std::deque<entry> entries_;
  core::log_index first_{1};
  position snapshot_;
  // The entry before first_, once that was trimmed.
  position base_;
  std::size_t bytes_ = 0;
};

} // namespace troupe::cluster
