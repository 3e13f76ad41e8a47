// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/log_format.hpp"
#include "storage/log_ledger.hpp"
#include "storage/log_types.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace troupe::storage {

/// Turns records, in the order of the log, back into the groups' logs.
class log_replay {
public:
  using bound = std::function<core::log_index(core::group_id)>;

  /// Entries at or below `keep_above` of their group are counted, not kept.
  log_replay(log_ledger& ledger, const bound& keep_above)
      : ledger_(ledger), keep_above_(keep_above) {}

  /// False, with why(), if the record can't follow those before it.
  bool apply(const log_record& record);
  [[nodiscard]] const std::string& why() const { return why_; }

  /// REQUIRES: called last.
  std::vector<recovered_group> take();

private:
  struct group_log {
    recovered_group found;
    core::log_index keep_above;
    /// Whether `next` is known: else any index may follow.
    bool anchored = false;
    core::log_index next;
  };

  group_log& log_of(core::group_id group);
  bool apply_entry(group_log& log, const log_record& record);
  void truncate(group_log& log, core::log_index from);

  log_ledger& ledger_;
  const bound& keep_above_;
  std::map<core::group_id, group_log> logs_;
  std::string why_;
};

} // namespace troupe::storage
