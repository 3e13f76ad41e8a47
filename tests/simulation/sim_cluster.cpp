// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/sim_cluster.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace troupe::cluster::simulation {

void sim_node::start(const raft_options& options, core::steady_time now) {
  ++incarnation_;
  clock_ = now;
  core_ = std::make_unique<raft>(core::group_id{1}, id_, options,
                                 [this] { return all_.random(1U << 30U); });
  state_ = disk_state_;
  auto loaded = disk_;
  loaded.applied = disk_state_.applied;
  core_->start(std::move(loaded), now);
  drain();
}

void sim_node::crash(std::size_t writes) {
  for (std::size_t i = 0; i < writes && !writes_.empty(); ++i) {
    land(writes_.front());
    writes_.pop_front();
  }
  writes_.clear();
  proposed_.clear();
  reads.clear();
  staged_.reset();
  install_.reset();
  core_.reset();
}

void sim_node::receive(const packet& p, core::steady_time now) {
  clock_ = now;
  if (std::holds_alternative<install_snapshot>(p.message) && !install_)
    staged_ = p.contents;
  core_->step(p.from, p.message, now);
  drain();
}

void sim_node::tick(core::steady_time now) {
  clock_ = now;
  core_->tick(now);
  drain();
}

bool sim_node::propose(std::uint32_t number) {
  const auto index = core_->propose(command_bytes(number));
  if (index)
    proposed_[*index] = {core_->current_term(), number};
  drain();
  return index.has_value();
}

void sim_node::complete_writes(std::size_t count) {
  std::uint64_t sequence = 0;
  for (; count > 0 && !writes_.empty(); --count) {
    land(writes_.front());
    sequence = writes_.front().sequence;
    writes_.pop_front();
  }
  if (sequence != 0)
    core_->persisted(sequence);
  drain();
}

void sim_node::finish_install(bool success) {
  const auto meta = *std::exchange(install_, std::nullopt);
  if (success) {
    all_.judge.installs(id_, *staged_);
    state_ = disk_state_ = *staged_;
    disk_.snapshot = meta;
    core_->snapshot_installed(meta);
  } else {
    core_->snapshot_failed();
  }
  drain();
}

void sim_node::checkpoint() {
  if (install_)
    return;
  disk_state_ = state_;
  core_->compact(state_.applied);
  drain();
}

void sim_node::drain() {
  while (core_->has_output()) {
    auto out = core_->take_output();
    if (core_->fatal())
      all_.judge.violation(core_->fatal()->detail);
    if (out.write)
      writes_.push_back(*std::move(out.write));
    for (auto& m : out.messages)
      all_.network.push_back({id_, m.to, std::move(m.message), {}});
    for (const auto& e : out.committed)
      apply(e);
    reads.insert(reads.end(), out.reads.begin(), out.reads.end());
    for (const auto& s : out.send_snapshots)
      send_snapshot(s);
    if (out.install)
      install_ = std::move(out.install);
    if (core_->leads())
      all_.judge.leads(id_, core_->current_term());
  }
}

void sim_node::apply(const committed_entry& e) {
  all_.judge.applies(id_, e, state_);
  const auto mine = proposed_.find(e.index);
  if (mine == proposed_.end())
    return;
  const auto [term, number] = mine->second;
  proposed_.erase(mine);
  if (term == e.term)
    all_.acknowledged(*this, e.index, term, number);
}

void sim_node::land(const write_batch& w) {
  auto& d = disk_;
  if (w.hard_state)
    d.hard_state = *w.hard_state;
  if (w.snapshot && (!d.snapshot || w.snapshot->index >= d.snapshot->index))
    d.snapshot = w.snapshot;
  if (w.replace_log) {
    d.entries.clear();
    d.first = core::next(w.snapshot->index);
  }
  const auto size_below = [&](core::log_index index) {
    return index < d.first ? 0U : index.value() - d.first.value();
  };
  if (w.truncate_from && size_below(*w.truncate_from) < d.entries.size())
    d.entries.resize(size_below(*w.truncate_from));
  if (!w.entries.empty()) {
    if (d.entries.empty())
      d.first = w.first;
    if (w.first.value() != d.first.value() + d.entries.size())
      all_.judge.violation("node " + std::to_string(id_.value()) +
                           " writes entries with a hole before them");
    d.entries.insert(d.entries.end(), w.entries.begin(), w.entries.end());
  }
  if (w.trim_to && *w.trim_to >= d.first) {
    const auto count =
        std::min(d.entries.size(), size_below(core::next(*w.trim_to)));
    d.entries.erase(d.entries.begin(),
                    d.entries.begin() + static_cast<std::ptrdiff_t>(count));
    d.first = core::log_index{d.first.value() + count};
  }
}

void sim_node::send_snapshot(const snapshot_send& s) {
  if (!refuse_snapshots) {
    auto announcement = s.announcement;
    announcement.meta = core_->describe(disk_state_.applied);
    all_.network.push_back({id_, s.to, announcement, disk_state_});
  }
  core_->snapshot_sent(s.to, !refuse_snapshots);
}

// ----------------------------------------------------------------- sim_cluster

sim_cluster::sim_cluster(std::size_t nodes, const configuration& initial,
                         raft_options settings, std::uint64_t seed)
    : options(settings), generator_(seed) {
  for (std::uint32_t id = 1; id <= nodes; ++id) {
    nodes_.push_back(std::make_unique<sim_node>(core::node_id{id}, *this));
    if (initial.contains(core::node_id{id}))
      nodes_.back()->set_disk(bootstrap(initial));
  }
}

void sim_cluster::acknowledged(sim_node& by, core::log_index index,
                               core::term term, std::uint32_t number) {
  judge.acknowledges(index, number);
  if (!check_durable_majority)
    return;
  std::size_t holders = 0;
  for (const auto voter : by.core().members().voters) {
    const auto& d = node(voter.value()).disk();
    const auto end = d.first.value() + d.entries.size();
    holders += (d.snapshot && d.snapshot->index >= index) ||
               (index >= d.first && index.value() < end &&
                d.entries[index.value() - d.first.value()].term == term);
  }
  if (holders < by.core().members().quorum())
    judge.violation("command " + std::to_string(number) +
                    " is acknowledged but on " + std::to_string(holders) +
                    " disks only");
}

void sim_cluster::check_logs() {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    for (std::size_t j = i + 1; j < nodes_.size(); ++j) {
      const auto& a = nodes_[i]->disk();
      const auto& b = nodes_[j]->disk();
      const auto first = std::max(a.first, b.first).value();
      const auto end = std::min(a.first.value() + a.entries.size(),
                                b.first.value() + b.entries.size());
      bool equal = false; // an entry above has the same term
      for (auto at = end; at-- > first;) {
        const auto& x = a.entries[at - a.first.value()];
        const auto& y = b.entries[at - b.first.value()];
        if (equal && !(x == y))
          return judge.violation("logs differ below a common entry at " +
                                 std::to_string(at));
        equal = equal || x.term == y.term;
        if (x.term == y.term && !(x == y))
          return judge.violation("two entries of one term at " +
                                 std::to_string(at));
      }
    }
}

configuration voters(std::uint32_t n) {
  configuration c;
  for (std::uint32_t id = 1; id <= n; ++id)
    c.voters.emplace_back(id);
  return c;
}

} // namespace troupe::cluster::simulation
