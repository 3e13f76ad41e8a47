// SPDX-License-Identifier: Apache-2.0
#include "cluster/interest_board.hpp"

#include "core/assert.hpp"
#include "core/name_rules.hpp"

#include <algorithm>
#include <mutex>

namespace troupe::cluster {
namespace {

/// What one hold of the lock changes or looks at, at most.
constexpr std::size_t changes_at_once = 128;
constexpr std::size_t places_at_once = 4096;
constexpr std::size_t tables_max = 60'000;

template <class T>
void add_once(std::vector<T>& all, const T& one) {
  if (std::find(all.begin(), all.end(), one) == all.end())
    all.push_back(one);
}

} // namespace

std::size_t audience::filters() const {
  std::size_t sum = 0;
  for (const auto& each : loops)
    sum += each.size();
  return sum;
}

void audience::clear() {
  for (auto& each : loops)
    each.clear();
  peers.clear();
}

// ------------------------------------------------------------------ this node

core::result<interest_board::claim>
interest_board::hold(std::string_view realm, const core::topic_filter& filter,
                     std::size_t loop) {
  if (!core::is_realm(realm))
    return core::error{core::errc::name_invalid, "realm"};
  TROUPE_ASSERT(loop < loops_, "no such loop");
  claim fresh;
  bool first = false;
  {
    const std::unique_lock lock{mutex_};
    const auto where = place_for(realm, filter);
    auto& mine = where.first->entries[where.second];
    if (mine.id == filter_id{}) {
      if (own_.filters >= limits_.filters_max) {
        forget_if_unused(where);
        return core::error{core::errc::too_many,
                           "subscribers of this node hold " +
                               std::to_string(limits_.filters_max) +
                               " different topic filters, and may not hold "
                               "more"};
      }
      mine.id = filter_id{++last_id_};
      own_.add(interest_hash(realm, filter.text()));
      note_change(where, first);
    }
    const auto position =
        std::find_if(mine.loops.begin(), mine.loops.end(),
                     [&](const auto& one) { return one.first == loop; });
    if (position == mine.loops.end())
      mine.loops.emplace_back(static_cast<std::uint16_t>(loop), 1);
    else
      ++position->second;
    fresh.where_ = where.first;
    fresh.place_ = where.second;
    fresh.id_ = mine.id;
  }
  if (first && on_change)
    on_change();
  return fresh;
}

void interest_board::release(const claim& held, std::size_t loop) {
  bool first = false;
  {
    const std::unique_lock lock{mutex_};
    const spot where{held.where_, held.place_};
    auto& mine = where.first->entries[where.second];
    const auto position =
        std::find_if(mine.loops.begin(), mine.loops.end(),
                     [&](const auto& one) { return one.first == loop; });
    TROUPE_ASSERT(mine.id == held.id_ && position != mine.loops.end(),
                  "a topic filter is released more often than it was held");
    if (--position->second > 0)
      return;
    mine.loops.erase(position);
    if (mine.loops.empty()) {
      mine.id = filter_id{};
      own_.remove(interest_hash(where.first->realm,
                                *where.first->filters.at(where.second)));
      note_change(where, first);
      forget_if_unused(where);
    }
  }
  if (first && on_change)
    on_change();
}

void interest_board::find(std::string_view realm, const core::topic& name,
                          audience& found) const {
  // Its room is used again and again.
  thread_local std::vector<index::place> places;
  found.loops.resize(loops_);
  found.clear();
  places.clear();
  const std::shared_lock lock{mutex_};
  for (const auto peer : want_all_)
    add_once(found.peers, peer);
  const auto position = spaces_.find(realm);
  if (position == spaces_.end())
    return;
  const auto& where = position->second;
  where.filters.match(name, places);
  for (const auto place : places) {
    const auto& each = where.entries[place];
    for (const auto& [loop, count] : each.loops)
      found.loops[loop].push_back(each.id);
    for (const auto number : each.tables)
      if (tables_[number].in_use)
        add_once(found.peers, tables_[number].peer);
  }
}

interest_digest interest_board::own() const {
  const std::shared_lock lock{mutex_};
  return own_;
}

/// Calls visit(space, place) for filters from the mark on until it says false,
/// which leaves the mark there, or enough have been looked at. False: done.
template <class Visit>
bool interest_board::walk(page_mark& from, Visit&& visit) const {
  auto budget = places_at_once;
  auto position = spaces_.lower_bound(from.realm);
  while (position != spaces_.end()) {
    const auto& where = position->second;
    if (where.realm != from.realm)
      from = {where.realm, 0};
    for (; from.next < where.filters.end(); ++from.next) {
      if (budget-- == 0)
        return true;
      if (where.filters.at(from.next) != nullptr && !visit(where, from.next))
        return true;
    }
    ++position;
  }
  return false;
}

bool interest_board::list(page_mark& from, std::size_t rows_max,
                          std::vector<row>& rows) const {
  const std::shared_lock lock{mutex_};
  return walk(from, [&](const realm_space& where, index::place place) {
    if (rows.size() >= rows_max)
      return false;
    row one{where.realm, *where.filters.at(place), 0, {}};
    const auto& each = where.entries[place];
    for (const auto& [loop, count] : each.loops)
      one.held += count;
    for (const auto number : each.tables)
      if (tables_[number].in_use)
        add_once(one.peers, tables_[number].peer);
    if (one.held > 0 || !one.peers.empty())
      rows.push_back(std::move(one));
    return true;
  });
}

// ------------------------------------------------- for those who tell others

void interest_board::watch(bool on) {
  const std::unique_lock lock{mutex_};
  watched_ = on;
  if (!on)
    changes_.clear();
}

void interest_board::note_change(const spot& where, bool& first) {
  if (!watched_)
    return;
  first = changes_.empty();
  changes_.insert({where.first->realm, *where.first->filters.at(where.second)});
}

std::vector<interest_board::filter_name> interest_board::take_changes() {
  std::set<filter_name> all;
  {
    const std::unique_lock lock{mutex_};
    all.swap(changes_);
  }
  std::vector<filter_name> names;
  names.reserve(all.size());
  while (!all.empty())
    names.push_back(std::move(all.extract(all.begin()).value()));
  return names;
}

std::optional<interest_digest> interest_board::settled_digest() const {
  const std::shared_lock lock{mutex_};
  if (!changes_.empty())
    return std::nullopt;
  return own_;
}

bool interest_board::is_held(const filter_name& name) const {
  const std::shared_lock lock{mutex_};
  const auto position = spaces_.find(name.realm);
  if (position == spaces_.end())
    return false;
  const auto place = position->second.filters.find(name.filter);
  return place && position->second.entries[*place].id != filter_id{};
}

bool interest_board::scan(page_mark& from, std::size_t bytes_max,
                          std::vector<interest_change>& out) const {
  std::size_t bytes = 0;
  const std::shared_lock lock{mutex_};
  return walk(from, [&](const realm_space& where, index::place place) {
    if (where.entries[place].id == filter_id{})
      return true;
    interest_change one{where.realm, *where.filters.at(place), true};
    bytes += cost(one);
    if (bytes > bytes_max)
      return false;
    out.push_back(std::move(one));
    return true;
  });
}

// ---------------------------------------------------------------- other nodes

std::optional<interest_board::table_number>
interest_board::open_table(core::node_id peer) {
  const std::unique_lock lock{mutex_};
  table_number number{};
  if (!free_tables_.empty()) {
    number = free_tables_.back();
    free_tables_.pop_back();
  } else if (tables_.size() < tables_max) {
    number = static_cast<table_number>(tables_.size());
    tables_.emplace_back();
  } else {
    return std::nullopt;
  }
  tables_[number].peer = peer;
  tables_[number].in_use = true;
  return number;
}

void interest_board::apply(table_number table,
                           const std::vector<interest_change>& changes) {
  for (std::size_t i = 0; i < changes.size();) {
    const std::unique_lock lock{mutex_};
    const auto end = std::min(changes.size(), i + changes_at_once);
    for (; i < end; ++i)
      apply_one(table, changes[i]);
  }
}

void interest_board::apply_one(table_number number,
                               const interest_change& change) {
  auto& mine = tables_[number];
  const auto filter = core::topic_filter::parse(change.filter);
  if (!filter)
    return;
  if (change.held && mine.filters.size() >= limits_.peer_filters_max) {
    if (!mine.overflowed)
      want_all_.push_back(mine.peer);
    mine.overflowed = true;
    return;
  }
  const auto where = place_for(change.realm, *filter);
  auto& tables = where.first->entries[where.second].tables;
  const auto hash = interest_hash(change.realm, change.filter);
  if (change.held && mine.filters.insert(where).second) {
    tables.push_back(number);
    mine.digest.add(hash);
  } else if (!change.held && mine.filters.erase(where) > 0) {
    std::erase(tables, number);
    mine.digest.remove(hash);
  }
  forget_if_unused(where);
}

void interest_board::drop_table(table_number table) {
  const std::unique_lock lock{mutex_};
  auto& mine = tables_[table];
  mine.in_use = false;
  if (mine.overflowed)
    want_all_.erase(std::find(want_all_.begin(), want_all_.end(), mine.peer));
  dropped_.push_back(table);
}

bool interest_board::clean() {
  const std::unique_lock lock{mutex_};
  std::size_t budget = changes_at_once;
  while (!dropped_.empty()) {
    const auto number = dropped_.back();
    auto& filters = tables_[number].filters;
    while (!filters.empty()) {
      if (budget-- == 0)
        return true;
      const auto where = *filters.begin();
      filters.erase(filters.begin());
      std::erase(where.first->entries[where.second].tables, number);
      forget_if_unused(where);
    }
    tables_[number] = {};
    dropped_.pop_back();
    free_tables_.push_back(number);
  }
  return false;
}

interest_board::table_info interest_board::info(table_number table) const {
  const std::shared_lock lock{mutex_};
  const auto& mine = tables_[table];
  return {mine.peer, mine.digest, mine.overflowed};
}

// -------------------------------------------------------------------- places

interest_board::spot
interest_board::place_for(std::string_view realm,
                          const core::topic_filter& filter) {
  auto position = spaces_.find(realm);
  if (position == spaces_.end()) {
    position = spaces_.try_emplace(std::string{realm}).first;
    position->second.realm = realm;
  }
  auto& where = position->second;
  const auto place = where.filters.add(filter).first;
  if (where.entries.size() <= place)
    where.entries.resize(place + 1U);
  return {&where, place};
}

void interest_board::forget_if_unused(spot where) {
  auto& [space, place] = where;
  auto& mine = space->entries[place];
  if (mine.id != filter_id{} || !mine.tables.empty())
    return;
  mine = {};
  space->filters.remove(place);
  if (space->filters.empty())
    spaces_.erase(spaces_.find(space->realm));
}

} // namespace troupe::cluster
