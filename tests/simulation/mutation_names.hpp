// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft_types.hpp"

#include <optional>
#include <string_view>

namespace troupe::cluster::simulation {

/// The name of the enumerator, for command lines and for messages.
[[nodiscard]] std::string_view to_string(raft_mutation m);
[[nodiscard]] std::optional<raft_mutation> find_mutation(std::string_view name);

} // namespace troupe::cluster::simulation
