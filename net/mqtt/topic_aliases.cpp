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

sent_aliases::choice sent_aliases::choice_at(std::string_view name,
                                             std::uint64_t turn) const {
  if (max_ == 0)
    return {};
  if (const auto at = by_name_.find(name); at != by_name_.end())
    return {at->second->number, false};
  if (!free_.empty())
    return {free_.back(), true};
  if (entries_.size() < max_)
    return {static_cast<std::uint16_t>(entries_.size() + 1), true};
  const auto& oldest = entries_.back();
  if (turn - oldest.used <= patience * max_)
    return {};
  return {oldest.number, true};
}

sent_aliases::choice sent_aliases::choose(const std::string& name) {
  if (max_ == 0)
    return {};
  ++turn_;
  const auto chosen = choice_at(name, turn_);
  if (chosen.number == 0)
    return {};
  if (!chosen.fresh) {
    const auto at = by_name_.find(name);
    entries_.splice(entries_.begin(), entries_, at->second);
    at->second->used = turn_;
    return chosen;
  }
  if (!free_.empty()) {
    free_.pop_back();
  } else if (entries_.size() >= max_) {
    by_name_.erase(entries_.back().name);
    entries_.pop_back();
  }
  entries_.push_front({name, chosen.number, turn_});
  by_name_.emplace(entries_.front().name, entries_.begin());
  return chosen;
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
