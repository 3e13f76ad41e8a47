// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/state_space.hpp"
#include "storage/commit_trigger.hpp"
#include "storage/fatal.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/overlay.hpp"
#include "storage/state_format.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::storage {

/// One group's space: changes of this interval over those being committed
/// over LMDB. A read looks in this order; an LMDB transaction begins only
/// after the overlays were looked at, so that what a commit has just taken
/// out of them is found below.
///
/// The owner's calls exclude each other and readers through one shared mutex,
/// held for memory accesses only by the owner.
class state_group final : public core::state_space {
public:
  state_group(lmdb_env& env, commit_trigger& trigger,
              const fatal_handler& on_fatal, core::group_id group,
              group_row row);

  [[nodiscard]] std::optional<core::shared_bytes>
  get(std::string_view key) const override;
  void put(std::string_view key, core::shared_bytes value) override;
  void erase(std::string_view key) override;
  void scan(std::string_view prefix, std::string_view from,
            const visitor& visit) const override;
  void checkpoint(core::log_index applied) override;
  [[nodiscard]] core::log_index applied() const override {
    return applied_.load(std::memory_order_acquire);
  }

  // For the state thread and for imports.

  /// Takes the changes up to the last checkpoint out of the owner's way; a
  /// group in the middle of an entry does it itself at its next checkpoint.
  /// False if there is nothing to commit.
  bool freeze();
  struct frozen_view {
    const overlay* changes = nullptr;
    group_row row; ///< as it shall be after the commit
  };
  /// REQUIRES: freeze() said true, and neither thaw() nor replace() came since.
  [[nodiscard]] frozen_view frozen() const;
  /// Gives scans the order the commit has found anyway.
  void adopt_order(overlay::run all);
  /// The commit succeeded: LMDB has the frozen changes.
  void thaw();
  /// Everything in memory is dropped; the rows are in `row.slot` now.
  void replace(const group_row& row);

  [[nodiscard]] core::group_id group() const { return group_; }
  [[nodiscard]] state_slot slot() const;
  void report_damage(std::string_view full_key) const;

private:
  using found = std::vector<std::pair<std::string, core::shared_bytes>>;

  /// What LMDB has under a key with its slot.
  [[nodiscard]] std::optional<core::shared_bytes>
  get_committed(const std::string& full) const;
  /// Up to `limit` pairs from `from` on; false if these are the last ones.
  bool collect(std::string_view prefix, const std::string& from,
               std::size_t limit, found& into) const;
  /// REQUIRES: the mutex is held and both overlays are ordered.
  bool merge(std::string_view prefix, const std::string& from,
             std::size_t limit, found& into) const;
  void freeze_now();

  lmdb_env& env_;
  commit_trigger& trigger_;
  const fatal_handler& on_fatal_;
  const core::group_id group_;

  mutable std::shared_mutex mutex_;
  std::unique_ptr<overlay> current_;
  std::unique_ptr<overlay> frozen_; ///< being committed, or null
  group_row row_;                   ///< as in LMDB
  core::log_index frozen_applied_;
  std::size_t counted_bytes_ = 0;  ///< of current_, told to the trigger
  std::size_t frozen_counted_ = 0; ///< of frozen_
  bool between_checkpoints_ = false;
  bool freeze_wanted_ = false;
  std::atomic<core::log_index> applied_;
};

} // namespace troupe::storage
