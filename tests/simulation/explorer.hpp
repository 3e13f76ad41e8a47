// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft_types.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::cluster::simulation {

struct explorer_options {
  std::uint32_t nodes = 3;
  int steps = 2500;
  bool membership = false;
  bool snapshots = false;
  raft_mutation mutation = raft_mutation::none;
  /// raft_options::lease; seeds that are older than it are replayed without.
  bool lease = true;
};

struct exploration {
  /// What must never happen, and the step at which it did.
  std::optional<std::string> violation;
  int step = 0;
  std::size_t acknowledged = 0;
  std::size_t elections = 0;
  std::size_t changes = 0;
};

/// A random walk over everything that can happen next: a packet arrives, is
/// lost or overtaken; a write lands; a timer fires; a client proposes; members
/// change; a node crashes with any prefix of its writes, or comes back. There
/// is no time but the order of events. The seed decides everything.
[[nodiscard]] exploration explore(std::uint64_t seed,
                                  const explorer_options& options);

/// Runs seeds [from, from + count) until one fails; returns that seed.
[[nodiscard]] std::optional<std::uint64_t>
first_failing_seed(std::uint64_t from, std::uint64_t count,
                   const explorer_options& options, std::string* why = nullptr);

} // namespace troupe::cluster::simulation
