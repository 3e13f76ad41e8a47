// SPDX-License-Identifier: Apache-2.0
#include "cluster/raft_log_view.hpp"

#include "core/assert.hpp"

#include <utility>

namespace troupe::cluster {

core::term raft_log_view::last_term() const {
  return term_at(last()).value_or(core::term{});
}

std::optional<core::term> raft_log_view::term_at(core::log_index index) const {
  if (contains(index))
    return entries_[index.value() - first_.value()].term;
  if (index == core::log_index{})
    return core::term{};
  if (index == snapshot_.index)
    return snapshot_.term;
  if (index == base_.index && base_.term != core::term{})
    return base_.term;
  return std::nullopt;
}

const entry& raft_log_view::at(core::log_index index) const {
  TROUPE_ASSERT(contains(index), "entry is in memory");
  return entries_[index.value() - first_.value()];
}

void raft_log_view::append(entry e) {
  bytes_ += e.data.size();
  entries_.push_back(std::move(e));
}

void raft_log_view::truncate(core::log_index from) {
  TROUPE_ASSERT(from >= first_, "truncation inside the log");
  while (last() >= from) {
    bytes_ -= entries_.back().data.size();
    entries_.pop_back();
  }
}

void raft_log_view::trim(core::log_index through) {
  TROUPE_ASSERT(through <= last(), "trim inside the log");
  while (first_ <= through) {
    base_ = {first_, entries_.front().term};
    bytes_ -= entries_.front().data.size();
    entries_.pop_front();
    ++first_;
  }
}

void raft_log_view::reset(core::log_index index, core::term term) {
  entries_.clear();
  bytes_ = 0;
  first_ = core::next(index);
  base_ = {index, term};
}

void raft_log_view::set_snapshot(core::log_index index, core::term term) {
  snapshot_ = {index, term};
}

} // namespace troupe::cluster
