// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/subscriptions.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net::mqtt {
namespace {

void take(const subscription& from, bool own, wanted& into) {
  if (own && from.no_local)
    return;
  into.any = true;
  into.level = std::max(into.level, from.level);
  into.retain_as_published |= from.retain_as_published;
  if (from.level != qos::at_most_once && from.routing == 0)
    into.routed_at = std::min(into.routed_at, from.routed_at);
  if (from.id != 0 &&
      std::find(into.ids.begin(), into.ids.end(), from.id) == into.ids.end())
    into.ids.push_back(from.id);
}

} // namespace

subscription* subscriptions::find(const core::topic_filter& filter) {
  if (index_) {
    const auto place = index_->filters.find(filter.text());
    return place ? &all_[index_->at[*place]] : nullptr;
  }
  const auto at =
      std::find_if(all_.begin(), all_.end(), [&](const subscription& each) {
        return each.filter == filter;
      });
  return at == all_.end() ? nullptr : &*at;
}

subscription& subscriptions::add(subscription what) {
  all_.push_back(std::move(what));
  if (index_)
    index(all_.size() - 1);
  else if (all_.size() > plain_max)
    index();
  return all_.back();
}

void subscriptions::index() {
  index_ = std::make_unique<lookup>();
  for (std::size_t i = 0; i < all_.size(); ++i)
    index(i);
}

void subscriptions::index(std::size_t place) {
  const auto number = static_cast<std::uint32_t>(place);
  const auto heard = index_->heard.add(all_[place].heard).first;
  if (index_->places.size() <= heard)
    index_->places.resize(heard + std::size_t{1});
  index_->places[heard].push_back(number);
  const auto at = index_->filters.add(all_[place].filter).first;
  if (index_->at.size() <= at)
    index_->at.resize(at + std::size_t{1});
  index_->at[at] = number;
}

std::optional<core::topic_filter>
subscriptions::remove(const core::topic_filter& filter) {
  auto* found = find(filter);
  if (found == nullptr)
    return std::nullopt;
  const auto place = static_cast<std::size_t>(found - all_.data());
  const auto unindex = [&](std::size_t which) {
    const auto number = static_cast<std::uint32_t>(which);
    const auto heard = *index_->heard.find(all_[which].heard.text());
    auto& of = index_->places[heard];
    std::erase(of, number);
    if (of.empty())
      index_->heard.remove(heard);
    index_->filters.remove(*index_->filters.find(all_[which].filter.text()));
  };
  const auto last = all_.size() - 1;
  if (index_) {
    unindex(place);
    if (last != place)
      unindex(last);
  }
  auto heard = std::move(all_[place].heard);
  if (last != place)
    all_[place] = std::move(all_[last]);
  all_.pop_back();
  if (index_ && last != place)
    index(place);
  if (all_.empty())
    index_.reset();
  return heard;
}

void subscriptions::match(const core::publication& what, bool own,
                          wanted& found) const {
  // Who has one would not have been asked otherwise.
  if (all_.size() == 1)
    return take(all_.front(), own, found);
  if (!index_) {
    for (const auto& each : all_)
      if (each.heard.matches(what.topic))
        take(each, own, found);
    return;
  }
  thread_local std::vector<core::topic_filter_index::place> places;
  places.clear();
  index_->heard.match(what.topic, places);
  for (const auto place : places)
    for (const auto number : index_->places[place])
      take(all_[number], own, found);
}

} // namespace troupe::net::mqtt
