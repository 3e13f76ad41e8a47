// SPDX-License-Identifier: Apache-2.0
#include "core/topic_filter_index.hpp"

#include "core/assert.hpp"

#include <algorithm>

namespace troupe::core {
namespace {

std::string_view last_part(std::string_view filter) {
  const auto slash = filter.rfind('/');
  return slash == std::string_view::npos ? filter : filter.substr(slash + 1);
}

} // namespace

struct topic_filter_index::look_up {
  std::vector<std::string_view> levels;
  bool reserved = false;
  std::vector<place>& found;
};

topic_filter_index::topic_filter_index() : nodes_(1) {}

// -------------------------------------------------------------------- changes

std::pair<topic_filter_index::place, bool>
topic_filter_index::add(const topic_filter& filter) {
  const auto [position, fresh] = by_text_.try_emplace(filter.text(), none);
  if (!fresh)
    return {position->second, false};
  const auto where = take_place();
  position->second = where;
  filters_[where].text = &position->first;
  if (filter.is_exact())
    return {where, true};
  const auto end = grow(filter.text());
  filters_[where].end = end;
  const auto last = last_part(filter.text());
  if (part_of(last) == filter_part::prefix)
    add_prefix(end, last.substr(0, last.size() - 1), where);
  else
    nodes_[end].here = where;
  return {where, true};
}

void topic_filter_index::remove(place at) {
  TROUPE_ASSERT(at < filters_.size() && filters_[at].text != nullptr,
                "no filter has this place");
  const auto gone = std::exchange(filters_[at], stored_filter{});
  if (gone.end != none) {
    const auto last = last_part(*gone.text);
    if (part_of(last) == filter_part::prefix)
      remove_prefix(gone.end, last.substr(0, last.size() - 1));
    else
      nodes_[gone.end].here = none;
    prune(gone.end);
  }
  by_text_.erase(by_text_.find(*gone.text));
  free_places_.push_back(at);
}

topic_filter_index::place topic_filter_index::take_place() {
  if (free_places_.empty()) {
    filters_.emplace_back();
    return static_cast<place>(filters_.size() - 1);
  }
  const auto where = free_places_.back();
  free_places_.pop_back();
  return where;
}

topic_filter_index::node_number
topic_filter_index::take_node(node_number parent) {
  node_number fresh{};
  if (free_nodes_.empty()) {
    fresh = static_cast<node_number>(nodes_.size());
    nodes_.emplace_back();
  } else {
    fresh = free_nodes_.back();
    free_nodes_.pop_back();
  }
  nodes_[fresh].parent = parent;
  return fresh;
}

/// The node after all parts but a prefix.
topic_filter_index::node_number
topic_filter_index::grow(std::string_view filter) {
  auto at = root;
  for (level_reader in{filter}; !in.done();) {
    const auto part = in.next();
    if (part_of(part) == filter_part::prefix)
      break;
    at = step(at, part);
  }
  return at;
}

topic_filter_index::node_number
topic_filter_index::step(node_number from, std::string_view part) {
  const auto what = part_of(part);
  if (what == filter_part::level) {
    if (const auto found = levels_.find(edge_view{from, part});
        found != levels_.end())
      return found->second;
    const auto fresh = take_node(from);
    const auto position =
        levels_.emplace(edge{from, std::string{part}}, fresh).first;
    nodes_[fresh].level = &position->first.level;
    ++nodes_[from].by_level;
    return fresh;
  }
  const bool any_levels = what == filter_part::any_levels;
  const auto there =
      any_levels ? nodes_[from].any_levels : nodes_[from].any_level;
  if (there != none)
    return there;
  const auto fresh = take_node(from);
  nodes_[fresh].is_any_levels = any_levels;
  (any_levels ? nodes_[from].any_levels : nodes_[from].any_level) = fresh;
  return fresh;
}

void topic_filter_index::add_prefix(node_number from, std::string_view prefix,
                                    place where) {
  prefixes_.emplace(edge{from, std::string{prefix}}, where);
  auto& lengths = nodes_[from].prefixes;
  const auto size = static_cast<std::uint32_t>(prefix.size());
  const auto position = std::lower_bound(lengths.begin(), lengths.end(),
                                         std::pair{size, std::uint32_t{0}});
  if (position != lengths.end() && position->first == size)
    ++position->second;
  else
    lengths.insert(position, {size, 1});
}

void topic_filter_index::remove_prefix(node_number from,
                                       std::string_view prefix) {
  prefixes_.erase(prefixes_.find(edge_view{from, prefix}));
  auto& lengths = nodes_[from].prefixes;
  const auto size = static_cast<std::uint32_t>(prefix.size());
  const auto position = std::lower_bound(lengths.begin(), lengths.end(),
                                         std::pair{size, std::uint32_t{0}});
  if (--position->second == 0)
    lengths.erase(position);
}

/// Removes a node that leads nowhere any more, and those which led to it.
void topic_filter_index::prune(node_number from) {
  while (from != root && nodes_[from].here == none && nodes_[from].is_bare()) {
    const auto parent = nodes_[from].parent;
    auto& above = nodes_[parent];
    if (const auto* level = nodes_[from].level) {
      levels_.erase(levels_.find(edge_view{parent, *level}));
      --above.by_level;
    } else if (nodes_[from].is_any_levels) {
      above.any_levels = none;
    } else {
      above.any_level = none;
    }
    nodes_[from] = node{};
    free_nodes_.push_back(from);
    from = parent;
  }
}

// -------------------------------------------------------------------- look-up

std::optional<topic_filter_index::place>
topic_filter_index::find(std::string_view filter) const {
  const auto position = by_text_.find(filter);
  if (position == by_text_.end())
    return std::nullopt;
  return position->second;
}

void topic_filter_index::match(const topic& name,
                               std::vector<place>& found) const {
  // No filter with a wildcard is spelled as a topic.
  if (const auto exact = find(name.text()))
    found.push_back(*exact);
  if (nodes_[root].is_bare())
    return;
  look_up state{{}, is_reserved(name.text()), found};
  for (level_reader in{name.text()}; !in.done();)
    state.levels.push_back(in.next());
  walk(state, root, 0);
}

// Each filter is found once: its parts say which level each of them is for,
// and those behind a # count from the end. The depth is that of the filters,
// which topic_limits bound.
void topic_filter_index::walk(look_up& state, node_number from,
                              std::size_t depth) const {
  const auto& here = nodes_[from];
  const auto size = state.levels.size();
  const bool passed_over = state.reserved && depth == 0 && from == root;
  if (here.any_levels != none && !passed_over) {
    const auto& rest = nodes_[here.any_levels];
    if (rest.is_bare())
      state.found.push_back(rest.here);
    else
      for (auto next = depth; next <= size; ++next)
        walk(state, here.any_levels, next);
  }
  if (depth == size) {
    if (here.here != none)
      state.found.push_back(here.here);
    return;
  }
  if (!here.prefixes.empty())
    match_prefixes(state, here, from, depth);
  if (here.by_level != 0)
    if (const auto found = levels_.find(edge_view{from, state.levels[depth]});
        found != levels_.end())
      walk(state, found->second, depth + 1);
  if (here.any_level != none && !passed_over)
    walk(state, here.any_level, depth + 1);
}

void topic_filter_index::match_prefixes(look_up& state, const node& from,
                                        node_number number,
                                        std::size_t depth) const {
  const auto level = state.levels[depth];
  for (const auto& [size, count] : from.prefixes) {
    if (size > level.size())
      return; // ascending
    if (size == 0 && state.reserved && depth == 0)
      continue;
    if (const auto found =
            prefixes_.find(edge_view{number, level.substr(0, size)});
        found != prefixes_.end())
      state.found.push_back(found->second);
  }
}

} // namespace troupe::core
