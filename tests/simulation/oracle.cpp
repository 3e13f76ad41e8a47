// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/oracle.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe::cluster::simulation {

std::uint32_t command_number(const committed_entry& e) {
  std::uint32_t number = 0;
  if (e.kind == entry_kind::command)
    std::memcpy(&number, e.data.data(), std::min(e.data.size(), sizeof number));
  return number;
}

core::shared_bytes command_bytes(std::uint32_t number) {
  return core::shared_bytes::copy_of(
      std::as_bytes(std::span{&number, std::size_t{1}}));
}

oracle::record& oracle::at(core::log_index index) {
  if (records_.size() <= index.value())
    records_.resize(index.value() + 64);
  return records_[index.value()];
}

void oracle::applies(core::node_id node, const committed_entry& e,
                     machine& state) {
  const auto place = "index " + std::to_string(e.index.value()) + ": node " +
                     std::to_string(node.value());
  if (e.index != core::next(state.applied))
    return violation(place + " applies after " +
                     std::to_string(state.applied.value()));
  const auto number = command_number(e);
  state.applied = e.index;
  state.hash = (state.hash ^ (number + 0x9e3779b97f4a7c15U)) * 0x100000001b3U +
               e.term.value();
  auto& r = at(e.index);
  if (!r.known) {
    r = {e.term, number, state.hash, true, false};
    return;
  }
  if (r.term != e.term || r.number != number)
    violation(place + " applies command " + std::to_string(number) +
              " of term " + std::to_string(e.term.value()) + " instead of " +
              std::to_string(r.number) + " of term " +
              std::to_string(r.term.value()) +
              (r.acknowledged ? ", which was acknowledged" : ""));
  else if (r.hash != state.hash)
    violation(place + " has other contents than the others");
}

void oracle::installs(core::node_id node, const machine& state) {
  const auto& r = at(state.applied);
  if (!r.known || r.hash != state.hash)
    violation("node " + std::to_string(node.value()) +
              " installs contents that nobody had");
}

void oracle::acknowledges(core::log_index index, std::uint32_t number) {
  acknowledged_.insert(number);
  at(index).acknowledged = true;
  newest_acknowledged_ = std::max(newest_acknowledged_, index);
}

void oracle::leads(core::node_id node, core::term term) {
  const auto [it, first] = leaders_.try_emplace(term, node);
  if (!first && it->second != node)
    violation("two leaders in term " + std::to_string(term.value()));
}

void oracle::violation(std::string text) {
  if (!violation_)
    violation_ = std::move(text);
}

} // namespace troupe::cluster::simulation
