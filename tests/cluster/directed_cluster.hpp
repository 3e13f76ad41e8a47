// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/simulation/sim_cluster.hpp"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::cluster::simulation {

/// A simulated cluster for scenarios written by hand: one clock, packets in
/// order, and only what the scenario lets through.
class directed_cluster {
public:
  using filter = std::function<bool(const packet&)>;
  using ids = std::vector<std::uint32_t>;

  directed_cluster(std::size_t nodes, const configuration& initial,
                   raft_options options = {})
      : all(nodes, initial, options, 1) {
    for (std::uint32_t id = 1; id <= nodes; ++id)
      start(id);
  }

  sim_node& node(std::uint32_t id) { return all.node(id); }
  void start(std::uint32_t id) { all.start(id, now_); }
  void crash(std::uint32_t id) {
    node(id).complete_all_writes();
    node(id).crash(0);
  }
  void drop_packets() { all.network.clear(); }

  void tick(std::uint32_t id, core::milliseconds later) {
    node(id).tick(now_ += later);
  }

  [[nodiscard]] core::steady_time now() const { return now_; }

  /// Delivers between the nodes of `among`, in order, whatever `lets` passes,
  /// and lets their writes land, until nothing is left. The rest is lost.
  void pump(const ids& among, const filter& lets = {}) {
    const auto member = [&](core::node_id id) {
      return std::find(among.begin(), among.end(), id.value()) != among.end();
    };
    for (int round = 0; round < 200; ++round) {
      for (const auto id : among)
        if (node(id).up())
          node(id).complete_all_writes();
      if (all.network.empty())
        return;
      for (auto& p : std::exchange(all.network, {}))
        if (member(p.from) && member(p.to) && node(p.to.value()).up() &&
            (!lets || lets(p)))
          node(p.to.value()).receive(p);
    }
  }

  /// Makes `who` the leader with the votes of `among`, which must have lost
  /// the old one. Only votes travel: its no-op stays on its own disk.
  bool elect(std::uint32_t who, const ids& among) {
    for (int attempt = 0; attempt < 3 && !node(who).leads(); ++attempt) {
      for (const auto id : among)
        if (id != who)
          time_out(id);
      drop_packets();
      time_out(who);
      pump(among, [](const packet& p) {
        return std::holds_alternative<vote_request>(p.message) ||
               std::holds_alternative<vote_answer>(p.message);
      });
    }
    return node(who).leads();
  }

  /// A leader with everything committed everywhere, after `seconds` of life.
  void settle(std::uint32_t leader, const ids& among) {
    for (int i = 0; i < 5; ++i) {
      pump(among);
      tick(leader, core::milliseconds{100});
    }
    pump(among);
  }

  sim_cluster all;

private:
  // Twice: the first tick only notes that a leader was heard before it.
  void time_out(std::uint32_t id) {
    tick(id, core::milliseconds{1001});
    if (node(id).up() && !node(id).leads())
      tick(id, core::milliseconds{1001});
  }

  core::steady_time now_{std::chrono::seconds{10}};
};

} // namespace troupe::cluster::simulation
