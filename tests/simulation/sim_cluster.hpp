// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft.hpp"
#include "tests/simulation/oracle.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace troupe::cluster::simulation {

/// A message on its way; a snapshot travels with its contents.
struct packet {
  core::node_id from;
  core::node_id to;
  cluster::message message;
  std::optional<machine> contents;
};

class sim_cluster;

/// One simulated host: a replica, its disk and its state machine. It does what
/// raft.hpp asks of a host; when its writes land is up to the test.
class sim_node {
public:
  sim_node(core::node_id id, sim_cluster& cluster) : id_(id), all_(cluster) {}

  [[nodiscard]] core::node_id id() const { return id_; }
  [[nodiscard]] bool up() const { return core_ != nullptr; }
  /// REQUIRES: up().
  [[nodiscard]] raft& core() { return *core_; }
  [[nodiscard]] bool leads() const { return core_ && core_->leads(); }
  [[nodiscard]] const machine& state() const { return state_; }
  [[nodiscard]] const persisted_state& disk() const { return disk_; }
  void set_disk(persisted_state disk) { disk_ = std::move(disk); }
  [[nodiscard]] std::uint32_t incarnation() const { return incarnation_; }

  void start(const raft_options& options, core::steady_time now);
  /// Loses everything but the first `writes` of the pending ones.
  void crash(std::size_t writes);

  /// Feeds the replica one event, then carries out what it asks for.
  void receive(const packet& p) { receive(p, clock_); }
  void receive(const packet& p, core::steady_time now);
  void tick(core::steady_time now);
  bool propose(std::uint32_t number);
  template <class Change>
  auto change(Change&& what) {
    auto r = what(*core_);
    drain();
    return r;
  }

  [[nodiscard]] std::size_t pending_writes() const { return writes_.size(); }
  /// The oldest `count` pending writes land and are reported together.
  void complete_writes(std::size_t count);
  void complete_all_writes() { complete_writes(writes_.size()); }
  [[nodiscard]] bool installing() const { return install_.has_value(); }
  void finish_install(bool success);
  /// The state machine goes to disk and the log is compacted.
  void checkpoint();

  /// Answered reads since the test last looked.
  std::vector<read_answer> reads;
  /// Drop the contents of offered snapshots and report failure.
  bool refuse_snapshots = false;

private:
  void drain();
  void apply(const committed_entry& e);
  void land(const write_batch& w);
  void send_snapshot(const snapshot_send& s);

  const core::node_id id_;
  sim_cluster& all_;
  std::unique_ptr<raft> core_;
  std::uint32_t incarnation_ = 0;
  core::steady_time clock_{};
  machine state_;
  std::map<core::log_index, std::pair<core::term, std::uint32_t>> proposed_;
  std::deque<write_batch> writes_;
  std::optional<machine> staged_;
  std::optional<snapshot_meta> install_;

  // What survives a crash.
  persisted_state disk_;
  machine disk_state_;
};

/// Nodes 1..n and the packets between them. The test decides what is
/// delivered, when, and what is lost.
class sim_cluster {
public:
  /// All members of `initial` are bootstrapped with it; the others are empty.
  sim_cluster(std::size_t nodes, const configuration& initial,
              raft_options options, std::uint64_t seed);

  [[nodiscard]] sim_node& node(std::uint32_t id) { return *nodes_[id - 1]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] std::uint64_t random(std::uint64_t bound) {
    return generator_() % bound;
  }
  void start(std::uint32_t id, core::steady_time now) {
    node(id).start(options, now);
  }

  /// Checks, at an acknowledgement, that the entry is on a majority's disks.
  /// Only exact while the configuration stands still.
  bool check_durable_majority = false;
  void acknowledged(sim_node& by, core::log_index index, core::term term,
                    std::uint32_t number);
  /// Compares the logs on disk pair by pair (log matching, Raft 5.3).
  void check_logs();

  raft_options options;
  oracle judge;
  std::deque<packet> network;

private:
  std::mt19937_64 generator_;
  std::vector<std::unique_ptr<sim_node>> nodes_;
};

/// Voters 1..n, no learners.
[[nodiscard]] configuration voters(std::uint32_t n);

} // namespace troupe::cluster::simulation
