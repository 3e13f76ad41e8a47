// SPDX-License-Identifier: Apache-2.0
#include "storage/log_ledger.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <utility>

namespace troupe::storage {

void log_ledger::add_segment(segment_number number) {
  TROUPE_ASSERT(segments_.empty() || number > segments_.back().number,
                "segments ascend");
  segments_.push_back({number, {}});
}

void log_ledger::note(const log_write& write) {
  if (write.hard_state)
    note_hard_state(write.group, *write.hard_state);
  if (write.snapshot_meta)
    note_snapshot_meta(write.group, *write.snapshot_meta);
  if (write.replace_log)
    note_truncate(write.group, core::log_index{0});
  if (write.truncate_from)
    note_truncate(write.group, *write.truncate_from);
  if (!write.entries.empty()) {
    if (write.first <= groups_[write.group].last)
      note_truncate(write.group, write.first);
    note_entry(write.group,
               core::log_index{write.first.value() + write.entries.size() - 1});
  }
}

void log_ledger::note_hard_state(core::group_id group,
                                 const hard_state& state) {
  auto& known = groups_[group].hard_state;
  if (!known)
    carry_bytes_ += record_header_bytes;
  known = state;
}

void log_ledger::note_snapshot_meta(core::group_id group,
                                    core::shared_bytes meta) {
  auto& known = groups_[group].snapshot_meta;
  if (known)
    carry_bytes_ -= record_header_bytes + known->size();
  carry_bytes_ += record_header_bytes + meta.size();
  known = std::move(meta);
}

void log_ledger::note_truncate(core::group_id group, core::log_index from) {
  const core::log_index kept{from.value() == 0 ? 0 : from.value() - 1};
  auto& state = groups_[group];
  state.last = std::min(state.last, kept);
  for (auto& each : segments_) {
    const auto at = each.newest.find(group);
    if (at == each.newest.end())
      continue;
    if (kept.value() == 0)
      each.newest.erase(at);
    else
      at->second = std::min(at->second, kept);
  }
}

void log_ledger::note_entry(core::group_id group, core::log_index index) {
  groups_[group].last = index;
  segments_.back().newest[group] = index;
}

void log_ledger::release(core::group_id group, core::log_index through) {
  auto& released = groups_[group].released;
  released = std::max(released, through);
}

std::vector<segment_number> log_ledger::take_free() {
  std::vector<segment_number> free;
  while (segments_.size() > 1) {
    const auto& newest = segments_.front().newest;
    const bool needed =
        std::any_of(newest.begin(), newest.end(), [&](const auto& entry) {
          return entry.second > groups_[entry.first].released;
        });
    if (needed)
      break;
    free.push_back(segments_.front().number);
    segments_.pop_front();
  }
  return free;
}

void log_ledger::carry(batch_encoder& to) const {
  for (const auto& [group, state] : groups_) {
    // As a write, so that carried records and first ones are the same bytes.
    const log_write again{.group = group,
                          .hard_state = state.hard_state,
                          .snapshot_meta = state.snapshot_meta,
                          .truncate_from = std::nullopt,
                          .first = {},
                          .entries = {}};
    for_each_record(again, [&to](const log_record& r) { to.add(r); });
  }
}

std::size_t log_ledger::carry_growth(const log_write& write) const {
  std::size_t bytes = 0;
  const auto at = groups_.find(write.group);
  const bool known = at != groups_.end();
  if (write.hard_state && !(known && at->second.hard_state))
    bytes += record_header_bytes;
  if (write.snapshot_meta)
    bytes += record_header_bytes + write.snapshot_meta->size();
  return bytes;
}

std::vector<lagging_group> log_ledger::lagging() const {
  std::vector<lagging_group> found;
  if (segments_.empty())
    return found;
  for (const auto& [group, newest] : segments_.front().newest) {
    const auto at = groups_.find(group);
    const auto released =
        at == groups_.end() ? core::log_index{} : at->second.released;
    if (newest > released)
      found.push_back({group, newest, released});
  }
  return found;
}

segment_number log_ledger::oldest() const {
  return segments_.empty() ? 0 : segments_.front().number;
}

segment_number log_ledger::newest() const {
  return segments_.empty() ? 0 : segments_.back().number;
}

} // namespace troupe::storage
