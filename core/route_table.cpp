// SPDX-License-Identifier: Apache-2.0
#include "core/route_table.hpp"

#include "core/assert.hpp"
#include "core/topic_filter.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>

namespace troupe::core {
namespace {

template <class Members, class Number>
auto place_of(Members& in, Number session) {
  return std::lower_bound(
      in.begin(), in.end(), session,
      [](const auto& member, Number number) { return member.first < number; });
}

} // namespace

void route_table::load(const route_store& store) {
  const std::unique_lock lock{mutex_};
  realms_.clear();
  size_ = 0;
  store.each_route(
      [&](std::string_view realm, std::string_view session, const route& what) {
        put_unlocked(realm, session, what);
        return true;
      });
}

void route_table::put(std::string_view realm, std::string_view session,
                      const route& what) {
  const std::unique_lock lock{mutex_};
  put_unlocked(realm, session, what);
}

void route_table::put_unlocked(std::string_view realm, std::string_view session,
                               const route& what) {
  auto at = realms_.find(realm);
  if (at == realms_.end())
    at = realms_.try_emplace(std::string{realm}).first;
  auto& in = at->second;
  const auto filter = topic_filter::parse(what.name.filter);
  TROUPE_ASSERT(filter, "a route of a filter that is none");
  const auto where = in.filters.add(*filter).first;
  if (where >= in.by_place.size())
    in.by_place.resize(where + 1);
  auto& all = in.by_place[where];
  auto& some =
      what.name.share.empty() ? all.direct : all.shared[what.name.share];
  const auto number = number_of(in, session);
  const auto member = place_of(some, number);
  if (member != some.end() && member->first == number) {
    member->second = what.options;
    return;
  }
  some.insert(member, {number, what.options});
  ++in.sessions[number].routes;
  ++size_;
}

void route_table::remove(std::string_view realm, std::string_view session,
                         const route_name& name) {
  const std::unique_lock lock{mutex_};
  const auto at = realms_.find(realm);
  if (at == realms_.end())
    return;
  auto& in = at->second;
  const auto number = in.numbers.find(session);
  const auto where = in.filters.find(name.filter);
  if (number == in.numbers.end() || !where)
    return;
  auto& all = in.by_place[*where];
  const auto group = all.shared.find(name.share);
  if (!name.share.empty() && group == all.shared.end())
    return;
  auto& some = name.share.empty() ? all.direct : group->second;
  const auto member = place_of(some, number->second);
  if (member == some.end() || member->first != number->second)
    return;
  some.erase(member);
  --size_;
  if (some.empty() && !name.share.empty())
    all.shared.erase(group);
  if (all.empty()) {
    all = {}; // gives the memory back
    in.filters.remove(*where);
  }
  release(in, number->second);
  if (in.numbers.empty())
    realms_.erase(at);
}

/// The caller counts the route.
route_table::session_number route_table::number_of(realm_routes& in,
                                                   std::string_view session) {
  if (const auto found = in.numbers.find(session); found != in.numbers.end())
    return found->second;
  session_number number{};
  if (in.free_numbers.empty()) {
    number = static_cast<session_number>(in.sessions.size());
    in.sessions.emplace_back();
  } else {
    number = in.free_numbers.back();
    in.free_numbers.pop_back();
  }
  const auto entry = in.numbers.emplace(std::string{session}, number).first;
  in.sessions[number].name = &entry->first;
  return number;
}

/// One route of a session less.
void route_table::release(realm_routes& in, session_number session) {
  auto& entry = in.sessions[session];
  if (--entry.routes != 0)
    return;
  in.numbers.erase(in.numbers.find(*entry.name));
  entry = {};
  in.free_numbers.push_back(session);
}

std::vector<route_match> route_table::merged(const realm_routes& in,
                                             members found,
                                             std::string_view publisher) {
  // Each list is sorted already, but not several of them together.
  if (!std::is_sorted(
          found.begin(), found.end(),
          [](const auto& a, const auto& b) { return a.first < b.first; }))
    std::stable_sort(
        found.begin(), found.end(),
        [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<route_match> result;
  result.reserve(found.size());
  auto last = found.end();
  for (auto i = found.begin(); i != found.end(); ++i) {
    const auto& [number, options] = *i;
    const auto& name = *in.sessions[number].name;
    if (options.no_local && name == publisher)
      continue;
    if (last == found.end() || last->first != number)
      result.push_back({name, options.qos, options.retain_as_published, {}});
    last = i;
    auto& to = result.back();
    to.qos = std::max(to.qos, options.qos);
    to.retain_as_published =
        to.retain_as_published || options.retain_as_published;
    if (options.subscription_id != 0)
      to.subscription_ids.push_back(options.subscription_id);
  }
  for (auto& to : result) {
    auto& ids = to.subscription_ids;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
  return result;
}

route_matches route_table::match(std::string_view realm, const topic& name,
                                 std::string_view publisher) const {
  const std::shared_lock lock{mutex_};
  route_matches result;
  result.as_of = as_of_;
  const auto at = realms_.find(realm);
  if (at == realms_.end())
    return result;
  const auto& in = at->second;
  std::vector<topic_filter_index::place> places;
  in.filters.match(name, places);
  members direct;
  for (const auto where : places) {
    const auto& all = in.by_place[where];
    direct.insert(direct.end(), all.direct.begin(), all.direct.end());
    for (const auto& [share, some] : all.shared) {
      auto group = merged(in, some, publisher);
      if (!group.empty())
        result.shared.push_back(
            {share, *in.filters.at(where), std::move(group)});
    }
  }
  result.direct = merged(in, std::move(direct), publisher);
  return result;
}

bool route_table::matches(std::string_view realm, const topic& name) const {
  const std::shared_lock lock{mutex_};
  const auto at = realms_.find(realm);
  if (at == realms_.end())
    return false;
  std::vector<topic_filter_index::place> places;
  at->second.filters.match(name, places);
  return !places.empty();
}

std::size_t route_table::size() const {
  const std::shared_lock lock{mutex_};
  return size_;
}

log_index route_table::as_of() const {
  const std::shared_lock lock{mutex_};
  return as_of_;
}

void route_table::set_as_of(log_index index) {
  const std::unique_lock lock{mutex_};
  as_of_ = std::max(as_of_, index);
}

} // namespace troupe::core
