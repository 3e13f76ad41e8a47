// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/explorer.hpp"

#include "tests/simulation/sim_cluster.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>
#include <vector>

namespace troupe::cluster::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t network_max = 400;

class walk {
public:
  walk(std::uint64_t seed, const explorer_options& options)
      : options_(options), pick_(seed * 31 + 7),
        all_(options.nodes, initial(options), settings(), seed),
        clocks_(options.nodes, core::steady_time{10s}) {
    all_.check_durable_majority = !options.membership;
    draw_weights();
  }

  exploration run() {
    for (std::uint32_t id = 1; id <= options_.nodes; ++id)
      all_.start(id, clock(id));
    exploration result;
    while (result.step < options_.steps && !all_.judge.violated()) {
      ++result.step;
      step();
      if (result.step % 500 == 0)
        all_.check_logs();
    }
    all_.check_logs();
    result.violation = all_.judge.violated();
    result.acknowledged = all_.judge.acknowledged();
    result.elections = all_.judge.elections();
    result.changes = changes_;
    return result;
  }

private:
  enum event : std::size_t {
    deliver,
    write,
    propose,
    tick,
    time_out,
    crash,
    restart,
    lose,
    cut_off,
    change,
    checkpoint,
    install,
    transfer,
    event_count
  };

  static configuration initial(const explorer_options& o) {
    return voters(o.membership ? std::min(o.nodes, 3U) : o.nodes);
  }

  template <class T>
  T one_of(std::initializer_list<T> list) {
    return list.begin()[pick_() % list.size()];
  }

  // Small windows and messages make more steps out of the same log.
  raft_options settings() {
    raft_options o;
    o.lease = options_.lease;
    o.mutation = options_.mutation;
    o.message_bytes_max = one_of<std::size_t>({1, 20, 1U << 20U});
    o.window_entries = one_of<std::uint64_t>({1, 3, 1000});
    o.keep_entries = one_of<std::uint64_t>({0, 3, 20});
    o.snapshot_answer_timeout = 200ms;
    return o;
  }

  // Every run has habits of its own: what is rare in one is common in another.
  void draw_weights() {
    const auto r = [&](std::uint64_t n) { return all_.random(n); };
    weights_ = {300 + r(700),
                50 + r(400),
                20 + r(100),
                30 + r(100),
                5 + r(30),
                r(4) != 0 ? 2 + r(25) : 0,
                15 + r(120),
                r(3) != 0 ? r(60) : 0,
                r(3) != 0 ? r(12) : 0,
                options_.membership ? 5 + r(30) : 0,
                options_.snapshots ? 5 + r(40) : 0,
                options_.snapshots ? 10 + r(60) : 0,
                r(3) != 0 ? 0 : r(6)};
    total_ = 0;
    for (const auto w : weights_)
      total_ += w;
    in_order_ = r(2) == 0;
  }

  core::steady_time& clock(std::uint32_t id) { return clocks_[id - 1]; }

  void step() {
    auto chosen = all_.random(total_);
    std::size_t e = 0;
    while (chosen >= weights_[e])
      chosen -= weights_[e++];
    const auto id = static_cast<std::uint32_t>(all_.random(all_.size()) + 1);
    auto& n = all_.node(id);
    switch (static_cast<event>(e)) {
    case deliver:
      return deliver_one();
    case lose:
      return lose_one();
    case cut_off:
      return drop_all_of(n.id());
    case restart:
      if (!n.up())
        all_.start(id, clock(id));
      return;
    case propose:
      return propose_everywhere();
    case change:
      return change_members();
    default:
      break;
    }
    if (!n.up())
      return;
    switch (static_cast<event>(e)) {
    case write:
      return n.complete_writes(1 + all_.random(3));
    case tick:
      return n.tick(clock(id) += 60ms);
    case time_out:
      return time_out_some(id);
    case crash:
      return crash_one(n);
    case checkpoint:
      return n.checkpoint();
    case install:
      if (n.installing())
        n.finish_install(all_.random(8) != 0);
      return;
    case transfer:
      n.change(
          [&](raft& core) { return core.transfer(random_node()).has_value(); });
      return;
    default:
      return;
    }
  }

  // Now and then everybody stops believing in the leader at once: only then
  // candidates get past the votes in advance, and into each other's way.
  void time_out_some(std::uint32_t id) {
    const bool everybody = all_.random(3) == 0;
    for (std::uint32_t other = 1; other <= all_.size(); ++other)
      if ((everybody || other == id) && all_.node(other).up())
        all_.node(other).tick(clock(other) += 1001ms);
  }

  core::node_id random_node() {
    return core::node_id{
        static_cast<std::uint32_t>(all_.random(all_.size()) + 1)};
  }

  void deliver_one() {
    auto& net = all_.network;
    if (net.empty())
      return;
    auto k = all_.random(net.size());
    if (in_order_) {
      const auto& chosen = net[k];
      const auto same = [&](const packet& p) {
        return p.from == chosen.from && p.to == chosen.to;
      };
      k = static_cast<std::size_t>(std::find_if(net.begin(), net.end(), same) -
                                   net.begin());
    }
    const auto p = take(k);
    auto& n = all_.node(p.to.value());
    if (n.up())
      n.receive(p);
    if (net.size() > network_max)
      net.erase(net.begin(), net.begin() + network_max / 2);
  }

  packet take(std::size_t k) {
    auto& net = all_.network;
    auto p = std::move(net[k]);
    net.erase(net.begin() + static_cast<std::ptrdiff_t>(k));
    return p;
  }

  void lose_one() {
    if (!all_.network.empty())
      take(all_.random(all_.network.size()));
  }

  void drop_all_of(core::node_id id) {
    std::erase_if(all_.network,
                  [&](const packet& p) { return p.to == id || p.from == id; });
  }

  void crash_one(sim_node& n) {
    n.crash(all_.random(n.pending_writes() + 1));
    std::erase_if(all_.network,
                  [&](const packet& p) { return p.to == n.id(); });
  }

  void propose_everywhere() {
    for (std::uint32_t id = 1; id <= all_.size(); ++id)
      if (all_.node(id).leads() && all_.random(2) == 0)
        all_.node(id).propose(next_command_++);
  }

  void change_members() {
    for (std::uint32_t id = 1; id <= all_.size(); ++id) {
      if (!all_.node(id).leads())
        continue;
      auto to = all_.node(id).core().members();
      const auto who = random_node();
      const auto kind = all_.random(3);
      to.erase(who);
      if (kind == 1)
        to.learners.push_back(who);
      else if (kind == 2)
        to.voters.push_back(who);
      changes_ += all_.node(id).change([&](raft& core) {
        return core.propose_configuration(to).has_value();
      });
    }
  }

  const explorer_options options_;
  std::mt19937_64 pick_;
  sim_cluster all_;
  std::vector<core::steady_time> clocks_;
  std::array<std::uint64_t, event_count> weights_{};
  std::uint64_t total_ = 0;
  bool in_order_ = false;
  std::uint32_t next_command_ = 1;
  std::size_t changes_ = 0;
};

} // namespace

exploration explore(std::uint64_t seed, const explorer_options& options) {
  return walk{seed, options}.run();
}

std::optional<std::uint64_t> first_failing_seed(std::uint64_t from,
                                                std::uint64_t count,
                                                const explorer_options& options,
                                                std::string* why) {
  for (auto seed = from; seed < from + count; ++seed) {
    auto result = explore(seed, options);
    if (!result.violation)
      continue;
    if (why != nullptr)
      *why = "seed " + std::to_string(seed) + " step " +
             std::to_string(result.step) + ": " + *result.violation;
    return seed;
  }
  return std::nullopt;
}

} // namespace troupe::cluster::simulation
