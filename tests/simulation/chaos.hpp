// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft_types.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::cluster::simulation {

struct chaos_options {
  std::uint32_t nodes = 3;
  /// Virtual time under faults, before everything heals.
  core::milliseconds duration{15'000};
  bool membership = false;
  bool snapshots = false;
  raft_mutation mutation = raft_mutation::none;
};

struct chaos_result {
  std::optional<std::string> violation;
  std::size_t acknowledged = 0;
  std::size_t elections = 0;
  std::size_t reads = 0;
};

/// A cluster under virtual time with the timers of production: slow and lossy
/// links, partitions (also of one direction), slow disks, crashes aimed at
/// fresh leaders, membership changes, transfers and reads. Then all heals, and
/// it must get going again, with every acknowledged command on every member;
/// no read may ever have missed one. The seed decides everything.
[[nodiscard]] chaos_result run_chaos(std::uint64_t seed,
                                     const chaos_options& options);

} // namespace troupe::cluster::simulation
