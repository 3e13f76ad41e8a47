// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft_types.hpp"
#include "tests/simulation/broker_node.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::cluster::simulation {

struct broker_options {
  /// Virtual time under faults, before everything heals.
  core::milliseconds duration{4'000};
  raft_mutation mutation = raft_mutation::none;
  broker_mutation host_mutation = broker_mutation::none;
  /// raft_options::lease; seeds that are older than it are replayed without.
  bool lease = true;
};

/// What a run saw; the sums show that it was worth something.
struct broker_result {
  std::optional<std::string> violation;
  std::size_t operations = 0; ///< answered
  std::size_t unknown = 0;    ///< writes whose outcome no client learned
  std::size_t repeated = 0;   ///< attempts beyond the first
  std::size_t duplicates = 0; ///< commands that were in the log twice
  std::size_t elections = 0;
  std::size_t changes = 0;   ///< of members
  std::size_t snapshots = 0; ///< installed
  std::size_t crashes = 0;
  std::size_t torn = 0; ///< batches cut off at a start
  std::size_t clock_jumps = 0;
  std::size_t pauses = 0;
  std::uint64_t checker_steps = 0;

  void add(const broker_result& other);
};

/// Nodes with the real replicas, state machines and records of a directory
/// group and a data shard, and clients that repeat what got no answer, under
/// virtual time and the faults of the seed: loss, duplication, reordering,
/// partitions (also of one direction), pauses, crashes that tear what was being
/// written, slow and full disks, clocks that jump, membership changes,
/// transfers and snapshots. What the clients saw must be linearizable, object
/// by object. The seed decides everything.
[[nodiscard]] broker_result run_broker(std::uint64_t seed,
                                       const broker_options& options);

[[nodiscard]] std::string_view to_string(broker_mutation m);
[[nodiscard]] std::optional<broker_mutation>
find_broker_mutation(std::string_view name);

} // namespace troupe::cluster::simulation
