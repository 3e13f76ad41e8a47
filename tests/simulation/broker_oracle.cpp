// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/broker_oracle.hpp"

#include "core/crc32c.hpp"
#include "schema/command_wire.hpp"

#include <algorithm>

namespace troupe::cluster::simulation {
namespace {

std::string place(const broker_group& by, core::log_index index) {
  return "group " + std::to_string(by.group().value()) + " index " +
         std::to_string(index.value()) + " node " +
         std::to_string(by.node().value());
}

} // namespace

void broker_oracle::violation(std::string what) {
  if (!violation_)
    violation_ = std::move(what);
}

std::size_t broker_oracle::elections() const {
  std::size_t n = 0;
  for (const auto& g : groups_)
    n += g.leaders.size();
  return n;
}

void broker_oracle::applied(const broker_group& by,
                            const committed_entry& command,
                            const core::idempotency_key& key,
                            const broker_outcome& outcome) {
  auto& all = groups_[by.group().value()];
  if (all.records.size() <= command.index.value())
    all.records.resize(command.index.value() + 64);
  auto& r = all.records[command.index.value()];
  const record seen{true, command.term, core::crc32c(command.data.view()),
                    outcome.failure.code, by.consensus().current_term()};
  if (r.known) {
    if (r.term != seen.term || r.checksum != seen.checksum)
      violation(place(by, command.index) + ": applies another command");
    else if (r.outcome != seen.outcome)
      violation(place(by, command.index) + ": has another outcome");
    return;
  }
  r = seen;
  all.newest = std::max(all.newest, command.index);
  if (const auto prefix = schema::decode_prefix(command.data.view())) {
    if (prefix->time < all.time)
      violation(place(by, command.index) + ": is stamped " +
                std::to_string((all.time - prefix->time).count()) +
                " ms before the one before it");
    all.time = prefix->time;
  }
  if (outcome.failure.code == core::errc::duplicate)
    ++duplicates_;
  else if (key.origin != 0 &&
           !all.in_force.emplace(key.origin, key.sequence).second)
    violation(place(by, command.index) + ": command " +
              std::to_string(key.sequence) + " of origin " +
              std::to_string(key.origin) + " is applied twice");
}

void broker_oracle::leads(const broker_group& by) {
  auto& all = groups_[by.group().value()];
  const auto& core = by.consensus();
  const auto term = core.current_term();
  const auto [at, first] = all.leaders.try_emplace(term, by.node());
  if (!first) {
    if (at->second != by.node())
      violation(place(by, core.last()) + ": second leader in term " +
                std::to_string(term.value()));
    return;
  }
  for (auto i = core.first(); i <= all.newest; ++i) {
    if (i.value() >= all.records.size())
      break;
    const auto& r = all.records[i.value()];
    if (r.known && r.agreed < term && core.term_at(i) != r.term)
      return violation(place(by, i) + ": leads in term " +
                       std::to_string(term.value()) +
                       " without what was agreed upon");
  }
}

void broker_oracle::compare_logs(const broker_group& a, const broker_group& b) {
  const auto& x = a.consensus();
  const auto& y = b.consensus();
  const auto first = std::max(x.first(), y.first());
  bool equal = false;
  for (auto i = std::min(x.last(), y.last()); i >= first && i.value() > 0;
       i = core::previous(i)) {
    const bool same = x.term_at(i) == y.term_at(i);
    if (equal && !same)
      return violation(place(a, i) + ": logs differ below a common entry");
    equal = equal || same;
  }
}

void broker_oracle::compare_contents(const broker_group& a,
                                     const broker_group& b) {
  if (a.contents() != b.contents())
    violation(place(a, a.consensus().applied()) +
              ": other tables than those of node " +
              std::to_string(b.node().value()));
}

void broker_oracle::appended(const core::inbox_entry& entry) {
  if (entry.expires)
    expiries_[entry.position] = *entry.expires;
}

void broker_oracle::removed(core::inbox_position position,
                            core::timestamp now) {
  const auto at = expiries_.find(position);
  if (at == expiries_.end() || at->second >= now)
    violation("message " + std::to_string(position.value()) +
              " is removed before its time");
}

} // namespace troupe::cluster::simulation
