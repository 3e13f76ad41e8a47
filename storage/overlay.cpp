// SPDX-License-Identifier: Apache-2.0
#include "storage/overlay.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe::storage {
namespace {

/// Node, bucket, place in a run, allocator.
constexpr std::size_t overhead = 128;

bool by_key(const overlay::entry* a, const overlay::entry* b) {
  return a->first < b->first;
}

} // namespace

void overlay::put(std::string_view key, core::shared_bytes value) {
  if (const auto at = changes_.find(key); at != changes_.end()) {
    bytes_ += value.size();
    bytes_ -= at->second.value.size();
    at->second = {std::move(value), false};
    return;
  }
  bytes_ += key.size() + value.size() + overhead;
  const auto at =
      changes_.emplace(std::string{key}, change{std::move(value), false});
  unordered_.push_back(&*at.first);
}

void overlay::erase(std::string_view key) {
  if (const auto at = changes_.find(key); at != changes_.end()) {
    bytes_ -= at->second.value.size();
    at->second = {{}, true};
    return;
  }
  bytes_ += key.size() + overhead;
  const auto at = changes_.emplace(std::string{key}, change{{}, true});
  unordered_.push_back(&*at.first);
}

const overlay::change* overlay::find(std::string_view key) const {
  const auto at = changes_.find(key);
  return at == changes_.end() ? nullptr : &at->second;
}

void overlay::order() {
  if (unordered_.empty())
    return;
  std::sort(unordered_.begin(), unordered_.end(), by_key);
  runs_.push_back(std::exchange(unordered_, {}));
  while (runs_.size() > 1 &&
         runs_.back().size() * 2 >= runs_[runs_.size() - 2].size()) {
    const run small = std::move(runs_.back());
    runs_.pop_back();
    run merged;
    merged.reserve(small.size() + runs_.back().size());
    std::merge(runs_.back().begin(), runs_.back().end(), small.begin(),
               small.end(), std::back_inserter(merged), by_key);
    runs_.back() = std::move(merged);
  }
}

overlay::run overlay::sorted() const {
  run all;
  all.reserve(changes_.size());
  for (const auto& each : changes_)
    all.push_back(&each);
  std::sort(all.begin(), all.end(), by_key);
  return all;
}

void overlay::adopt(run all) {
  unordered_.clear();
  runs_.clear();
  runs_.push_back(std::move(all));
}

overlay::cursor::cursor(const overlay& from, std::string_view first) {
  positions_.reserve(from.runs_.size());
  for (const auto& run : from.runs_) {
    const auto at = std::lower_bound(
        run.begin(), run.end(), first,
        [](const entry* e, std::string_view key) { return e->first < key; });
    if (at != run.end())
      positions_.push_back({&*at, run.data() + run.size()});
  }
  choose();
}

void overlay::cursor::advance() {
  ++chosen_->at;
  choose();
}

void overlay::cursor::choose() {
  chosen_ = nullptr;
  current_ = nullptr;
  for (auto& each : positions_)
    if (each.at != each.end &&
        (current_ == nullptr || by_key(*each.at, current_))) {
      chosen_ = &each;
      current_ = *each.at;
    }
}

} // namespace troupe::storage
