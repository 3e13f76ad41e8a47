// SPDX-License-Identifier: Apache-2.0
#include "cluster/raft_types.hpp"

#include "core/assert.hpp"

namespace troupe::cluster {

persisted_state bootstrap(const configuration& members) {
  TROUPE_ASSERT(is_valid(members), "a group starts with a valid configuration");
  persisted_state state;
  state.hard_state.term = core::term{1};
  state.entries.push_back(
      {core::term{1}, entry_kind::configuration, encode(members)});
  return state;
}

} // namespace troupe::cluster
