// SPDX-License-Identifier: Apache-2.0
#include "actors/names/client_names.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors::names {

void client_names::lead_in(core::term term) {
  if (term != last_.term)
    last_ = {term, 0};
}

client_names::outcome client_names::claim(const desk_address& from,
                                          const name_claim& what) {
  const bool returns = what.had != name_grant{};
  const auto at = rows_.find(what.name);
  if (at == rows_.end()) {
    if (rows_.size() >= rows_max_)
      return {core::errc::overloaded};
    const auto given =
        returns ? what.had : name_grant{last_.term, ++last_.number};
    rows_.emplace(what.name, row{from, what.holder, given});
    return {core::errc::ok, given};
  }
  auto& has = at->second;
  const bool same = has.at == from && has.holder == what.holder;
  if (returns && !same && has.given > what.had)
    return {core::errc::not_logged_in};
  const auto given = returns ? std::max(what.had, same ? has.given : what.had)
                             : name_grant{last_.term, ++last_.number};
  auto before = std::exchange(has, row{from, what.holder, given});
  if (same)
    return {core::errc::ok, given};
  return {core::errc::ok, given, before};
}

void client_names::free(const desk_address& from, const freed_name& what) {
  const auto at = rows_.find(what.name);
  if (at != rows_.end() && at->second.at == from &&
      at->second.holder == what.holder)
    rows_.erase(at);
}

std::optional<client_names::row> client_names::take(const client_name& name) {
  const auto at = rows_.find(name);
  if (at == rows_.end())
    return std::nullopt;
  const auto had = at->second;
  rows_.erase(at);
  return had;
}

void client_names::forget_node(core::node_id node) {
  std::erase_if(rows_, [&](const auto& r) { return r.second.at.node == node; });
}

void client_names::forget_desk(const desk_address& desk) {
  std::erase_if(rows_, [&](const auto& r) { return r.second.at == desk; });
}

std::vector<desk_address> client_names::clear() {
  std::vector<desk_address> desks;
  for (const auto& [name, each] : rows_)
    if (std::find(desks.begin(), desks.end(), each.at) == desks.end())
      desks.push_back(each.at);
  rows_.clear();
  return desks;
}

} // namespace troupe::actors::names
