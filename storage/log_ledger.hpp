// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"
#include "storage/log_format.hpp"
#include "storage/log_types.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace troupe::storage {

/// What the live segments hold of each group: which of them are still needed,
/// and what has to be carried into the next one. Not thread-safe.
class log_ledger {
public:
  /// A segment was begun; numbers ascend.
  void add_segment(segment_number number);

  /// The write went into the newest segment.
  void note(const log_write& write);
  void note_hard_state(core::group_id group, const hard_state& state);
  void note_snapshot_meta(core::group_id group, core::shared_bytes meta);
  /// The group's entries from `from` on are dead wherever they lie.
  void note_truncate(core::group_id group, core::log_index from);
  void note_entry(core::group_id group, core::log_index index);

  /// See log_store::release.
  void release(core::group_id group, core::log_index through);

  /// Takes the segments at the old end that nobody needs, oldest first; never
  /// the newest.
  std::vector<segment_number> take_free();

  /// Writes whatever must outlive the segment it was written to.
  void carry(batch_encoder& to) const;
  /// Record bytes of the above.
  [[nodiscard]] std::size_t carry_bytes() const { return carry_bytes_; }
  /// Record bytes that `write` would add to those of carry().
  [[nodiscard]] std::size_t carry_growth(const log_write& write) const;

  [[nodiscard]] std::vector<lagging_group> lagging() const;
  [[nodiscard]] std::size_t live_segments() const { return segments_.size(); }
  [[nodiscard]] segment_number oldest() const;
  [[nodiscard]] segment_number newest() const;

private:
  struct group_state {
    std::optional<storage::hard_state> hard_state;
    std::optional<core::shared_bytes> snapshot_meta;
    core::log_index last;
    core::log_index released;
  };
  struct segment {
    segment_number number = 0;
    /// Newest living entry of each group in this segment.
    std::map<core::group_id, core::log_index> newest;
  };

  std::map<core::group_id, group_state> groups_;
  std::deque<segment> segments_;
  std::size_t carry_bytes_ = 0;
};

} // namespace troupe::storage
