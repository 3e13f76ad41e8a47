// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/chaos.hpp"

#include "tests/simulation/sim_cluster.hpp"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <map>
#include <queue>
#include <set>
#include <utility>
#include <vector>

namespace troupe::cluster::simulation {
namespace {

using namespace std::chrono_literals;
using duration = std::chrono::microseconds;

constexpr auto tick_period = 50ms;

class chaos {
public:
  chaos(std::uint64_t seed, const chaos_options& o)
      : options_(o), pick_(seed * 7919 + 3),
        all_(o.nodes, voters(o.membership ? std::min(o.nodes, 3U) : o.nodes),
             settings(), seed) {
    link_max_ = one_of<duration>({1ms, 5ms, 30ms, 120ms});
    disk_max_ = one_of<duration>({1ms, 5ms, 30ms});
    stall_percent_ = one_of({0, 1, 5, 20});
    loss_percent_ = one_of({0, 0, 1, 5, 20});
    in_order_ = percent(75);
    request_period_ = one_of<duration>({3ms, 10ms, 30ms, 100ms});
    all_.check_durable_majority = !o.membership;
  }

  chaos_result run() {
    for (std::uint32_t id = 1; id <= all_.size(); ++id)
      start(id);
    clients();
    faults();
    run_until(now_ + options_.duration);
    heal();
    run_until(now_ + 4s);
    requests_stopped_ = true;
    check_liveness();
    chaos_result result;
    result.violation = all_.judge.violated();
    result.acknowledged = all_.judge.acknowledged();
    result.elections = all_.judge.elections();
    result.reads = reads_answered_;
    return result;
  }

private:
  struct action {
    core::steady_time at;
    std::uint64_t order;
    std::function<void()> run;
    bool operator<(const action& o) const {
      return std::pair{at, order} > std::pair{o.at, o.order};
    }
  };

  // ------------------------------------------------------------ randomness
  template <class T>
  T one_of(std::initializer_list<T> list) {
    return list.begin()[pick_() % list.size()];
  }
  bool percent(int p) { return static_cast<int>(all_.random(100)) < p; }
  duration up_to(duration most) {
    return duration{static_cast<duration::rep>(
        all_.random(static_cast<std::uint64_t>(most.count()) + 1))};
  }
  std::uint32_t random_id() {
    return static_cast<std::uint32_t>(all_.random(all_.size()) + 1);
  }
  raft_options settings() {
    raft_options o;
    o.mutation = options_.mutation;
    o.message_bytes_max = one_of<std::size_t>({1, 40, 256 * 1024});
    o.window_entries = one_of<std::uint64_t>({1, 20, 200});
    o.keep_entries = one_of<std::uint64_t>({0, 10, 1000});
    o.snapshot_answer_timeout = 1s;
    // No more backlog than the slowest settings can work off after healing.
    o.uncommitted_bytes_max = 8 * 1024;
    return o;
  }

  // ------------------------------------------------------------------ time
  void after(duration d, std::function<void()> run) {
    queue_.push({now_ + d, order_++, std::move(run)});
  }
  void run_until(core::steady_time end) {
    while (!queue_.empty() && queue_.top().at <= end &&
           !all_.judge.violated()) {
      auto next = queue_.top();
      queue_.pop();
      now_ = next.at;
      next.run();
      route();
    }
    now_ = end;
  }
  /// Runs `what` later, unless the node has crashed in the meantime.
  void after_on(std::uint32_t id, duration d, std::function<void()> what) {
    const auto incarnation = all_.node(id).incarnation();
    after(d, [this, id, incarnation, what = std::move(what)] {
      if (all_.node(id).up() && all_.node(id).incarnation() == incarnation)
        what();
    });
  }

  // ----------------------------------------------------------------- nodes
  void start(std::uint32_t id) {
    all_.start(id, now_);
    disk_busy_[id] = false;
    tick(id);
    if (options_.snapshots)
      checkpoint(id);
    route();
  }
  void tick(std::uint32_t id) {
    after_on(id, tick_period + up_to(4ms), [this, id] {
      all_.node(id).tick(now_);
      tick(id);
    });
  }
  void checkpoint(std::uint32_t id) {
    after_on(id, 200ms + up_to(1s), [this, id] {
      all_.node(id).checkpoint();
      checkpoint(id);
    });
  }
  void crash(std::uint32_t id, duration outage) {
    auto& n = all_.node(id);
    if (!n.up())
      return;
    n.crash(all_.random(n.pending_writes() + 1));
    after(outage, [this, id] {
      if (!all_.node(id).up())
        start(id);
    });
  }

  /// Starts what the last event caused: packets, writes, installations, reads.
  void route() {
    for (auto& p : std::exchange(all_.network, {}))
      travel(std::move(p));
    for (std::uint32_t id = 1; id <= all_.size(); ++id) {
      auto& n = all_.node(id);
      if (!n.up())
        continue;
      if (n.pending_writes() > 0 && !disk_busy_[id])
        write(id);
      if (n.installing() && installing_.insert({id, n.incarnation()}).second)
        install(id);
      for (const auto& r : std::exchange(n.reads, {}))
        check_read(id, r);
      if (n.leads() && seen_terms_.insert(n.core().current_term()).second)
        greet_leader(id);
    }
  }
  void travel(packet p) {
    if (cut_.contains({p.from, p.to}) || percent(loss_percent_))
      return;
    const int copies = percent(2) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      auto arrival = now_ + 100us + up_to(link_max_);
      auto& newest = newest_arrival_[{p.from, p.to}];
      if (in_order_)
        arrival = std::max(arrival, newest);
      newest = std::max(arrival, newest);
      after(std::chrono::duration_cast<duration>(arrival - now_), [this, p] {
        auto& n = all_.node(p.to.value());
        if (n.up() && !cut_.contains({p.from, p.to}))
          n.receive(p, now_);
      });
    }
  }
  void write(std::uint32_t id) {
    disk_busy_[id] = true;
    const auto count = all_.node(id).pending_writes(); // one flush for all
    const auto takes = percent(stall_percent_) ? duration{50ms} + up_to(350ms)
                                               : 100us + up_to(disk_max_);
    after_on(id, takes, [this, id, count] {
      disk_busy_[id] = false;
      all_.node(id).complete_writes(count);
    });
  }
  void install(std::uint32_t id) {
    const auto incarnation = all_.node(id).incarnation();
    after_on(id, up_to(300ms), [this, id, incarnation] {
      installing_.erase({id, incarnation});
      all_.node(id).finish_install(!percent(5));
    });
  }

  // --------------------------------------------------------------- clients
  void clients() {
    if (requests_stopped_)
      return;
    for (std::uint32_t id = 1; id <= all_.size(); ++id)
      if (all_.node(id).leads())
        request(id);
    after(request_period_ / 5 + up_to(request_period_ * 8 / 5),
          [this] { clients(); });
  }
  void request(std::uint32_t id) {
    auto& n = all_.node(id);
    for (auto i = 1 + all_.random(3); i > 0; --i)
      n.propose(next_command_++);
    if (percent(10)) {
      const auto token = next_token_++;
      expected_[token] = all_.judge.newest_acknowledged();
      n.change([&](raft& core) { return core.read_index(token).has_value(); });
    }
    if (!healed_ && all_.random(200) == 0)
      n.change([&](raft& core) {
        return core.transfer(core::node_id{random_id()}).has_value();
      });
    if (!healed_ && options_.membership && percent(3))
      change_members(n);
  }
  void change_members(sim_node& n) {
    const core::node_id who{random_id()};
    n.change([&](raft& core) {
      const auto& members = core.members();
      if (!members.contains(who))
        return core.add_learner(who).has_value();
      if (members.is_learner(who))
        return core.promote(who).has_value();
      return members.voters.size() > 2 && core.remove(who).has_value();
    });
  }
  void check_read(std::uint32_t id, const read_answer& r) {
    if (r.status != core::errc::ok)
      return;
    ++reads_answered_;
    const auto expected = expected_[r.token];
    if (r.index < expected || all_.node(id).state().applied < expected)
      all_.judge.violation("a read at node " + std::to_string(id) +
                           " misses what was acknowledged before it");
  }

  // ---------------------------------------------------------------- faults
  void greet_leader(std::uint32_t id) {
    if (healed_ || !percent(40))
      return;
    after_on(id, up_to(2 * link_max_), [this, id] {
      if (healed_)
        return;
      if (percent(60))
        return crash(id, 1ms + up_to(500ms));
      isolate(id);
      after(up_to(2s), [this] { cut_.clear(); });
    });
  }
  void isolate(std::uint32_t id) {
    cut_.clear();
    for (std::uint32_t other = 1; other <= all_.size(); ++other) {
      if (other == id)
        continue;
      if (percent(75))
        cut_.insert({core::node_id{id}, core::node_id{other}});
      if (percent(75))
        cut_.insert({core::node_id{other}, core::node_id{id}});
    }
  }
  void faults() {
    after(50ms + up_to(1500ms), [this] {
      if (healed_)
        return;
      switch (all_.random(8)) {
      case 0:
      case 1:
        crash(random_id(), 20ms + up_to(2s));
        break;
      case 2:
        isolate(random_id());
        break;
      case 3:
        split();
        break;
      case 4: // one direction of one link
        cut_.insert({core::node_id{random_id()}, core::node_id{random_id()}});
        break;
      case 5:
        all_.node(random_id()).refuse_snapshots = percent(50);
        break;
      default:
        cut_.clear();
        break;
      }
      faults();
    });
  }
  void split() {
    cut_.clear();
    for (std::uint32_t a = 1; a <= all_.size(); ++a)
      for (std::uint32_t b = 1; b <= all_.size(); ++b)
        if ((a ^ b) & 1U)
          cut_.insert({core::node_id{a}, core::node_id{b}});
  }

  // ------------------------------------------------------------- afterwards
  void heal() {
    healed_ = true;
    cut_.clear();
    loss_percent_ = 0;
    stall_percent_ = 0;
    link_max_ = std::min<duration>(link_max_, 5ms);
    disk_max_ = std::min<duration>(disk_max_, 3ms);
    for (std::uint32_t id = 1; id <= all_.size(); ++id) {
      all_.node(id).refuse_snapshots = false;
      if (!all_.node(id).up())
        start(id);
    }
  }
  sim_node* leader() {
    for (std::uint32_t id = 1; id <= all_.size(); ++id)
      if (all_.node(id).leads())
        return &all_.node(id);
    return nullptr;
  }
  /// A member without all that `leader` has, else 0. Equal contents at one
  /// index are checked at each step; so whoever is as far has everything.
  std::uint32_t lagging(sim_node& leader) {
    for (std::uint32_t id = 1; id <= all_.size(); ++id)
      if (leader.core().members().contains(core::node_id{id}) &&
          all_.node(id).state() != leader.state())
        return id;
    return 0;
  }
  void check_liveness() {
    const auto last = next_command_++;
    for (int i = 0; i < 50 && !all_.judge.is_acknowledged(last); ++i) {
      if (auto* n = leader())
        n->propose(last);
      route();
      run_until(now_ + 200ms);
    }
    auto* n = leader();
    if (!all_.judge.is_acknowledged(last) || n == nullptr)
      return all_.judge.violation("no progress after everything healed");
    // A member that has a long way to go may do one entry a round trip.
    for (int i = 0; i < 60 && lagging(*n) != 0; ++i)
      run_until(now_ + 1s);
    if (const auto id = lagging(*n); id != 0)
      all_.judge.violation("member " + std::to_string(id) +
                           " lacks acknowledged commands");
    all_.check_logs();
  }

  const chaos_options options_;
  std::mt19937_64 pick_;
  sim_cluster all_;
  core::steady_time now_{10s};
  std::priority_queue<action> queue_;
  std::uint64_t order_ = 0;

  duration link_max_{};
  duration disk_max_{};
  int stall_percent_ = 0;
  int loss_percent_ = 0;
  duration request_period_{};

  using direction = std::pair<core::node_id, core::node_id>;
  bool in_order_ = true; // links keep the order, as TCP does
  std::map<direction, core::steady_time> newest_arrival_;
  std::set<direction> cut_;
  std::map<std::uint32_t, bool> disk_busy_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> installing_;
  std::set<core::term> seen_terms_;
  bool healed_ = false;
  bool requests_stopped_ = false;

  std::uint32_t next_command_ = 1;
  std::uint64_t next_token_ = 1;
  std::map<std::uint64_t, core::log_index> expected_;
  std::size_t reads_answered_ = 0;
};

} // namespace

chaos_result run_chaos(std::uint64_t seed, const chaos_options& options) {
  return chaos{seed, options}.run();
}

} // namespace troupe::cluster::simulation
