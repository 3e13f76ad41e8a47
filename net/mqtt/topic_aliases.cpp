// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/topic_aliases.hpp"

#include <utility>

namespace troupe::net::mqtt {

void received_aliases::set(std::uint16_t number, std::string_view name) {
  if (names_.size() < number)
    names_.resize(number);
  names_[number - 1U] = name;
}

const std::string* received_aliases::find(std::uint16_t number) const {
  if (number == 0 || number > names_.size() || names_[number - 1U].empty())
    return nullptr;
  return &names_[number - 1U];
}

sent_aliases::choice sent_aliases::choose(const std::string& name) {
  if (max_ == 0)
    return {};
  ++turn_;
  if (const auto at = by_name_.find(name); at != by_name_.end()) {
    entries_.splice(entries_.begin(), entries_, at->second);
    at->second->used = turn_;
    return {at->second->number, false};
  }
  entry fresh{name, 0, turn_};
  if (!free_.empty()) {
    fresh.number = free_.back();
    free_.pop_back();
  } else if (entries_.size() < max_) {
    fresh.number = static_cast<std::uint16_t>(entries_.size() + 1);
  } else {
    const auto& oldest = entries_.back();
    if (turn_ - oldest.used <= patience * max_)
      return {};
    fresh.number = oldest.number;
    by_name_.erase(oldest.name);
    entries_.pop_back();
  }
  const auto number = fresh.number;
  entries_.push_front(std::move(fresh));
  by_name_.emplace(entries_.front().name, entries_.begin());
  return {number, true};
}

void sent_aliases::forget(const std::string& name) {
  const auto at = by_name_.find(name);
  if (at == by_name_.end())
    return;
  free_.push_back(at->second->number);
  const auto place = at->second;
  by_name_.erase(at);
  entries_.erase(place);
}

} // namespace troupe::net::mqtt
