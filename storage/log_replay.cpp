// SPDX-License-Identifier: Apache-2.0
#include "storage/log_replay.hpp"

#include <utility>

namespace troupe::storage {

bool log_replay::apply(const log_record& record) {
  auto& log = log_of(record.group);
  switch (record.kind) {
  case record_kind::entry:
    return apply_entry(log, record);
  case record_kind::truncate_from:
    truncate(log, core::log_index{record.index});
    return true;
  case record_kind::hard_state: {
    const hard_state state{
        core::term{record.term},
        core::node_id{static_cast<std::uint32_t>(record.index)}};
    log.found.hard_state = state;
    ledger_.note_hard_state(record.group, state);
    return true;
  }
  case record_kind::snapshot_meta: {
    auto meta = core::shared_bytes::copy_of(record.payload);
    log.found.snapshot_meta = meta;
    ledger_.note_snapshot_meta(record.group, std::move(meta));
    return true;
  }
  case record_kind::replace_log:
    log.found.entries.clear();
    log.found.first = {};
    log.anchored = false;
    ledger_.note_truncate(record.group, core::log_index{0});
    return true;
  }
  why_ = "record of an unknown kind";
  return false;
}

log_replay::group_log& log_replay::log_of(core::group_id group) {
  const auto [at, fresh] = logs_.try_emplace(group);
  if (fresh) {
    at->second.found.group = group;
    if (keep_above_)
      at->second.keep_above = keep_above_(group);
  }
  return at->second;
}

bool log_replay::apply_entry(group_log& log, const log_record& record) {
  const core::log_index index{record.index};
  if (log.anchored && index > log.next) {
    why_ = "entry " + std::to_string(index.value()) + " of group " +
           std::to_string(record.group.value()) + " follows entry " +
           std::to_string(log.next.value() - 1);
    return false;
  }
  if (log.anchored && index < log.next)
    truncate(log, index);
  log.anchored = true;
  log.next = core::next(index);
  ledger_.note_entry(record.group, index);
  if (index <= log.keep_above)
    return true;
  if (log.found.entries.empty())
    log.found.first = index;
  log.found.entries.push_back({core::term{record.term}, record.entry_kind,
                               core::shared_bytes::copy_of(record.payload)});
  return true;
}

void log_replay::truncate(group_log& log, core::log_index from) {
  ledger_.note_truncate(log.found.group, from);
  if (!log.anchored || from >= log.next)
    return;
  log.next = from;
  auto& entries = log.found.entries;
  if (entries.empty() || from <= log.found.first)
    entries.clear();
  else
    entries.resize(from.value() - log.found.first.value());
}

std::vector<recovered_group> log_replay::take() {
  std::vector<recovered_group> groups;
  groups.reserve(logs_.size());
  for (auto& [group, log] : logs_) {
    if (log.found.entries.empty())
      log.found.first = log.anchored ? log.next : core::log_index{};
    groups.push_back(std::move(log.found));
  }
  return groups;
}

} // namespace troupe::storage
