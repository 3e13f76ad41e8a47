// SPDX-License-Identifier: Apache-2.0
#include "cluster/interest_board.hpp"

#include "core/assert.hpp"
#include "core/name_rules.hpp"
#include "core/own_topics.hpp"

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

std::string space_key(std::string_view realm, std::string_view share) {
  std::string key{realm};
  if (!share.empty())
    key.append(1, '\0').append(share);
  return key;
}

} // namespace

std::uint64_t shared_audience::here() const {
  std::uint64_t sum = 0;
  for (const auto& [loop, count] : loops)
    sum += count;
  return sum;
}

std::uint64_t shared_audience::members() const {
  auto sum = here();
  for (const auto& [peer, count] : peers)
    sum += count;
  return sum;
}

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
  shares.clear();
  exact = filter_id{};
}

std::uint32_t interest_board::entry::held() const {
  std::uint32_t sum = 0;
  for (const auto& [loop, count] : loops)
    sum += count;
  return sum;
}

// ------------------------------------------------------------------ this node

core::result<interest_board::claim>
interest_board::hold(std::string_view realm, const core::topic_filter& filter,
                     std::size_t loop, std::string_view share) {
  if (!core::is_realm(realm))
    return core::error{core::errc::name_invalid, "realm"};
  if (share.size() > share_bytes_max)
    return core::error{core::errc::name_invalid, "share"};
  TROUPE_ASSERT(loop < loops_, "no such loop");
  claim fresh;
  bool first = false;
  {
    const std::unique_lock lock{mutex_};
    const auto where = place_for(realm, filter, share);
    auto& mine = where.first->entries[where.second];
    if (mine.id == filter_id{}) {
      const bool among_nodes = core::is_own_topic(filter.text());
      // Those are few, and bounded by what they are about.
      if (!among_nodes && own_.filters - among_nodes_ >= limits_.filters_max) {
        forget_if_unused(where);
        return core::error{core::errc::too_many,
                           "subscribers of this node hold " +
                               std::to_string(limits_.filters_max) +
                               " different topic filters, and may not hold "
                               "more"};
      }
      mine.id = filter_id{++last_id_};
      own_.add(hash_of(where));
      among_nodes_ += among_nodes ? 1 : 0;
      note_change(where, first);
    } else if (!share.empty()) {
      note_change(where, first);
    }
    const auto position =
        std::find_if(mine.loops.begin(), mine.loops.end(),
                     [&](const auto& one) { return one.first >= loop; });
    if (position == mine.loops.end() || position->first != loop)
      mine.loops.emplace(position, static_cast<std::uint16_t>(loop), 1U);
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
    if (--position->second == 0)
      mine.loops.erase(position);
    if (mine.loops.empty() || !where.first->share.empty())
      note_change(where, first);
    if (mine.loops.empty()) {
      mine.id = filter_id{};
      const auto& text = *where.first->filters.at(where.second);
      own_.remove(hash_of(where));
      among_nodes_ -= core::is_own_topic(text) ? 1 : 0;
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
  const auto* where = find_space(realm, {});
  if (where == nullptr)
    return;
  where->filters.match(name, places);
  // Found first, if it is there.
  if (!places.empty() && *where->filters.at(places.front()) == name.text())
    found.exact = where->entries[places.front()].id;
  for (const auto place : places) {
    const auto& each = where->entries[place];
    for (const auto& [loop, count] : each.loops)
      found.loops[loop].push_back(each.id);
    for (const auto& [number, count] : each.tables)
      if (tables_[number].in_use)
        add_once(found.peers, tables_[number].peer);
  }
  if (where->shared_filters.empty())
    return;
  places.clear();
  where->shared_filters.match(name, places);
  for (const auto place : places)
    for (const auto& group : where->shared[place])
      if (auto each = audience_of(*group.first, group.second);
          each.members() > 0)
        found.shares.push_back(std::move(each));
}

shared_audience interest_board::audience_of(const realm_space& space,
                                            index::place place) const {
  const auto& each = space.entries[place];
  shared_audience found{
      each.id, space.share, *space.filters.at(place), each.loops, {}};
  // A peer has two tables while one replaces the other: the newer counts.
  for (const auto& [number, count] : each.tables) {
    const auto& table = tables_[number];
    if (!table.in_use)
      continue;
    const auto known =
        std::find_if(found.peers.begin(), found.peers.end(),
                     [&](const auto& p) { return p.first == table.peer; });
    if (known == found.peers.end())
      found.peers.emplace_back(table.peer, count);
    else
      known->second = count;
  }
  return found;
}

std::optional<shared_audience>
interest_board::find_share(std::string_view realm, std::string_view filter,
                           std::string_view share) const {
  const std::shared_lock lock{mutex_};
  const auto* where = find_space(realm, share);
  if (where == nullptr || share.empty())
    return std::nullopt;
  const auto place = where->filters.find(filter);
  if (!place || where->entries[*place].id == filter_id{})
    return std::nullopt;
  return audience_of(*where, *place);
}

interest_digest interest_board::own() const {
  const std::shared_lock lock{mutex_};
  return own_;
}

std::size_t interest_board::filters() const {
  const std::shared_lock lock{mutex_};
  return own_.filters - among_nodes_;
}

/// Calls visit(space, place) for filters from the mark on until it says false,
/// which leaves the mark there, or enough have been looked at. False: done.
template <class Visit>
bool interest_board::walk(page_mark& from, Visit&& visit) const {
  auto budget = places_at_once;
  auto position = spaces_.lower_bound(from.space);
  while (position != spaces_.end()) {
    const auto& where = position->second;
    if (position->first != from.space)
      from = {position->first, 0};
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
    const auto& text = *where.filters.at(place);
    if (core::is_own_topic(text))
      return true;
    auto one = row_of(where, place);
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
  changes_.insert({where.first->realm, *where.first->filters.at(where.second),
                   where.first->share});
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

interest_change interest_board::change_of(const filter_name& name) const {
  const std::shared_lock lock{mutex_};
  if (const auto* where = find_space(name.realm, name.share))
    if (const auto place = where->filters.find(name.filter))
      return change_at(*where, *place);
  return {name.realm, name.filter, false, name.share,
          name.share.empty() ? 1U : 0U};
}

interest_change interest_board::change_at(const realm_space& space,
                                          index::place place) {
  const auto held = space.entries[place].held();
  return {space.realm, *space.filters.at(place), held > 0, space.share,
          space.share.empty() ? 1U : held};
}

bool interest_board::scan(page_mark& from, std::size_t bytes_max,
                          std::vector<interest_change>& out) const {
  std::size_t bytes = 0;
  const std::shared_lock lock{mutex_};
  return walk(from, [&](const realm_space& where, index::place place) {
    if (where.entries[place].id == filter_id{})
      return true;
    auto one = change_at(where, place);
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
  const auto where = place_for(change.realm, *filter, change.share);
  auto& tables = where.first->entries[where.second].tables;
  const auto known =
      std::find_if(tables.begin(), tables.end(),
                   [&](const auto& t) { return t.first == number; });
  if (!change.held && known != tables.end()) {
    mine.filters.erase(where);
    tables.erase(known);
    mine.digest.remove(hash_of(where));
  } else if (change.held && known != tables.end()) {
    known->second = change.members;
  } else if (change.held) {
    mine.filters.insert(where);
    tables.emplace_back(number, change.members);
    mine.digest.add(hash_of(where));
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
      std::erase_if(where.first->entries[where.second].tables,
                    [&](const auto& t) { return t.first == number; });
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

interest_board::realm_space& interest_board::space_for(std::string_view realm,
                                                       std::string_view share) {
  const auto key = space_key(realm, share);
  const auto [position, fresh] = spaces_.try_emplace(key);
  if (fresh) {
    position->second.realm = realm;
    position->second.share = share;
  }
  return position->second;
}

const interest_board::realm_space*
interest_board::find_space(std::string_view realm,
                           std::string_view share) const {
  const auto position = share.empty() ? spaces_.find(realm)
                                      : spaces_.find(space_key(realm, share));
  return position == spaces_.end() ? nullptr : &position->second;
}

interest_board::spot interest_board::place_for(std::string_view realm,
                                               const core::topic_filter& filter,
                                               std::string_view share) {
  auto& where = space_for(realm, share);
  const auto [place, fresh] = where.filters.add(filter);
  if (where.entries.size() <= place)
    where.entries.resize(place + 1U);
  const spot found{&where, place};
  if (fresh && !share.empty()) {
    auto& home = space_for(realm, {});
    const auto at = home.shared_filters.add(filter).first;
    if (home.shared.size() <= at)
      home.shared.resize(at + 1U);
    home.shared[at].push_back(found);
  }
  return found;
}

void interest_board::forget_if_unused(spot where) {
  auto& [space, place] = where;
  auto& mine = space->entries[place];
  if (mine.id != filter_id{} || !mine.tables.empty())
    return;
  if (!space->share.empty())
    forget_sharing(where);
  mine = {};
  space->filters.remove(place);
  if (space->unused())
    spaces_.erase(spaces_.find(space_key(space->realm, space->share)));
}

/// The realm's own space knows of the group no more.
void interest_board::forget_sharing(const spot& where) {
  const auto position = spaces_.find(where.first->realm);
  auto& home = position->second;
  const auto at =
      *home.shared_filters.find(*where.first->filters.at(where.second));
  std::erase(home.shared[at], where);
  if (!home.shared[at].empty())
    return;
  home.shared_filters.remove(at);
  if (home.unused())
    spaces_.erase(position);
}

std::uint64_t interest_board::hash_of(const spot& where) const {
  const auto& space = *where.first;
  return interest_hash(space.realm, *space.filters.at(where.second),
                       space.share);
}

} // namespace troupe::cluster
