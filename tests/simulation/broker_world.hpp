// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/simulation/broker_chaos.hpp"
#include "tests/simulation/broker_clients.hpp"
#include "tests/simulation/broker_node.hpp"
#include "tests/simulation/broker_oracle.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::cluster::simulation {

/// The clocks of one simulated node: timers run a little fast or slow, the
/// time of day jumps.
class broker_clock final : public core::clock {
public:
  broker_clock(const core::steady_time& world, int rate_percent)
      : world_(world), started_(world), rate_(rate_percent) {}

  [[nodiscard]] core::steady_time now() const override {
    return started_ + (world_ - started_) * rate_ / 100;
  }
  [[nodiscard]] core::timestamp wall() const override {
    return core::from_millis(1'700'000'000'000) +
           std::chrono::duration_cast<core::milliseconds>(world_ - started_) +
           offset;
  }
  core::milliseconds offset{0};

private:
  const core::steady_time& world_;
  const core::steady_time started_;
  const int rate_;
};

/// One machine: clock, log, and a replica of each group while it is up.
struct broker_machine {
  core::node_id id;
  std::unique_ptr<broker_clock> clock;
  broker_log log;
  std::vector<std::unique_ptr<broker_group>> groups;
  bool founds = false;
  bool up = false;
  std::uint32_t incarnation = 0;
  core::steady_time paused_until{};
  core::steady_time slow_until{};
  bool refuses_snapshots = false;
  std::set<std::pair<std::uint16_t, std::uint32_t>> installing;
};

/// Everything that a seed stands for; see run_broker().
class broker_world final : public broker_surroundings,
                           public client_surroundings {
public:
  broker_world(std::uint64_t seed, const broker_options& options);

  broker_result run();

  // ----- broker_surroundings
  void transmit(broker_packet packet) override;
  void reply(broker_answer answer) override;
  void applied(const broker_group& by, const committed_entry& command,
               const core::idempotency_key& key,
               const broker_outcome& outcome) override {
    oracle_.applied(by, command, key, outcome);
  }
  void broken(std::string what) override { oracle_.violation(std::move(what)); }
  void removed(core::inbox_position position, core::timestamp now) override {
    oracle_.removed(position, now);
  }
  void appended(const core::inbox_entry& entry) override {
    oracle_.appended(entry);
  }
  std::uint64_t random() override { return random_(); }
  [[nodiscard]] broker_mutation mutation() const override {
    return options_.host_mutation;
  }

  // ----- client_surroundings
  [[nodiscard]] core::steady_time time() const override { return now_; }
  void later(std::chrono::microseconds d, std::function<void()> what) override {
    after(d, std::move(what));
  }
  void ask(core::node_id node, const broker_request& request) override;
  [[nodiscard]] std::uint64_t dice(std::uint64_t bound) override {
    return random_() % bound;
  }
  [[nodiscard]] std::uint32_t node_count() const override {
    return static_cast<std::uint32_t>(machines_.size());
  }
  void failed(std::string what) override { broken(std::move(what)); }

private:
  using duration = std::chrono::microseconds;
  struct action {
    core::steady_time at;
    std::uint64_t order;
    std::function<void()> run;
    bool operator<(const action& o) const {
      return std::pair{at, order} > std::pair{o.at, o.order};
    }
  };
  /// What happens to a machine while it is up, and not paused.
  using machine_function = std::function<void(broker_machine&)>;

  template <class T>
  T one_of(std::initializer_list<T> list) {
    return list.begin()[dice(list.size())];
  }
  bool lose() { return !calm_ && percent(loss_percent_); }
  bool percent(int p) { return static_cast<int>(dice(100)) < p; }
  duration up_to(duration most) {
    return duration{static_cast<duration::rep>(
        dice(static_cast<std::uint64_t>(most.count()) + 1))};
  }

  // broker_world.cpp: time, machines, messages
  void draw_habits();
  void after(duration d, std::function<void()> run);
  void run_until(core::steady_time end);
  void on(broker_machine& m, duration d, machine_function what,
          bool any_life = false);
  void run_on(broker_machine& m, std::uint32_t life, bool any_life,
              const machine_function& what);
  void service(broker_machine& m);
  void flush(broker_machine& m);
  void start(broker_machine& m);
  void crash(broker_machine& m, duration outage);
  void tick(broker_machine& m);
  void commit_state(broker_machine& m);
  void sweep(broker_machine& m);
  void deliver(const broker_packet& packet, duration d);
  [[nodiscard]] bool cut(core::node_id from, core::node_id to) const {
    return cut_.contains({from, to});
  }
  broker_machine& machine(core::node_id id) {
    return *machines_[id.value() - 1];
  }
  broker_machine& any_machine() { return *machines_[dice(machines_.size())]; }

  // broker_faults.cpp: what goes wrong, and what comes afterwards
  void faults();
  void fault();
  void greet_leader(broker_machine& m);
  void isolate(core::node_id id);
  void split();
  void jump_clock(broker_machine& m);
  void steward();
  void change_members(broker_group& leader);
  void observe();
  void heal();
  void check_end();
  broker_group* leader(std::uint16_t group);
  [[nodiscard]] bool settled();

  const broker_options options_;
  std::mt19937_64 random_;
  raft_options raft_options_;
  core::steady_time now_{std::chrono::seconds{10}};
  std::priority_queue<action> queue_;
  std::uint64_t order_ = 0;
  broker_oracle oracle_;
  std::vector<std::unique_ptr<broker_machine>> machines_;
  configuration founders_;
  broker_clients clients_;
  broker_result result_;

  // Habits of this seed.
  duration link_max_{};
  duration disk_max_{};
  duration fault_period_{};
  int loss_percent_ = 0;
  int stall_percent_ = 0;
  int twice_percent_ = 0;
  int greet_percent_ = 0;
  bool in_order_ = true;
  bool moves_members_ = false;
  bool jumps_clocks_ = false;
  bool pauses_ = false;
  bool compacts_ = false;

  std::set<std::pair<core::node_id, core::node_id>> cut_;
  std::map<std::pair<core::node_id, core::node_id>, core::steady_time>
      newest_arrival_;
  std::set<std::pair<std::uint16_t, core::term>> greeted_;
  bool calm_ = true; // before the faults begin
  bool healed_ = false;
};

} // namespace troupe::cluster::simulation
