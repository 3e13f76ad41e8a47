// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/broker_log.hpp"

#include "storage/log_ledger.hpp"
#include "storage/log_replay.hpp"

#include <algorithm>
#include <cstring>

namespace troupe::cluster::simulation {
namespace {

constexpr storage::segment_number segment = 1;

} // namespace

core::result<void> broker_log::submit(const storage::log_write& write) {
  if (stuck)
    return core::errc::overloaded;
  waiting_.push_back(write);
  return {};
}

void broker_log::release(core::group_id group, core::log_index through) {
  released_[group] = std::max(released_[group], through);
}

std::vector<storage::lagging_group> broker_log::lagging() const {
  std::vector<storage::lagging_group> all;
  if (cramped)
    for (std::uint16_t g = 0; g < 2; ++g) {
      const auto at = released_.find(core::group_id{g});
      all.push_back({core::group_id{g},
                     {},
                     at == released_.end() ? core::log_index{} : at->second});
    }
  return all;
}

void broker_log::begin_flush() {
  flushing_ = true;
  reported_.clear();
  encoder_.begin(segment, ++sequence_);
  std::size_t bytes = 0;
  while (!waiting_.empty()) {
    const auto& write = waiting_.front();
    bytes += storage::encoded_bytes(write);
    if (bytes > batch_bytes_max && !reported_.empty())
      break;
    storage::for_each_record(
        write, [&](const storage::log_record& r) { encoder_.add(r); });
    reported_[write.group] = write.token;
    waiting_.pop_front();
  }
  const auto batch = encoder_.finish();
  disk_.insert(disk_.end(), batch.begin(), batch.end());
}

void broker_log::finish_flush() {
  flushing_ = false;
  flushed_bytes_ = disk_.size();
  for (const auto& [group, token] : std::exchange(reported_, {}))
    on_durable(group, token);
}

void broker_log::crash(std::mt19937_64& random) {
  waiting_.clear();
  flushing_ = false;
  stuck = false;
  reported_.clear();
  // Mostly some sectors are there and some are not, in any order.
  const auto kept_percent = random() % 5 * 25;
  for (auto at = flushed_bytes_; at < disk_.size(); at += storage::sector_bytes)
    if (random() % 100 >= kept_percent)
      std::memset(disk_.data() + at, 0, storage::sector_bytes);
}

bool broker_log::recover() {
  storage::log_ledger ledger;
  ledger.add_segment(segment);
  const storage::log_replay::bound keep_above = [this](core::group_id group) {
    const auto at = released_.find(group);
    return at == released_.end() ? core::log_index{} : at->second;
  };
  storage::log_replay replay{ledger, keep_above};
  storage::batch_decoder decoder;
  std::size_t at = 0;
  sequence_ = 0;
  while (at < disk_.size()) {
    const auto batch = decoder.read({disk_.data() + at, disk_.size() - at},
                                    segment, sequence_ + 1);
    using state = enum storage::batch_view::state;
    if (batch.state == state::damaged) {
      why_ = "a torn batch is taken for damaged: " + batch.what;
      return false;
    }
    if (batch.state != state::complete) {
      torn_ += batch.state == state::torn ? 1 : 0;
      break;
    }
    for (const auto& record : decoder.records())
      if (!replay.apply(record)) {
        why_ = replay.why();
        return false;
      }
    ++sequence_;
    at += batch.disk_bytes;
  }
  if (at < flushed_bytes_) {
    why_ = "a flushed batch is not found again";
    return false;
  }
  disk_.resize(at);
  flushed_bytes_ = at; // a start makes what it found durable
  found_.clear();
  for (auto& group : replay.take())
    found_[group.group] = std::move(group);
  return true;
}

storage::recovered_group broker_log::found(core::group_id group) {
  auto& one = found_[group];
  one.group = group;
  return std::move(one);
}

} // namespace troupe::cluster::simulation
