// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace troupe::actors {

/// What a node says of its links. docs/formats/group-frames.md has the bytes.
struct reach_word {
  static constexpr std::size_t nodes_max = 4096;

  /// Other nodes that it has links to, in any order.
  std::vector<core::node_id> nodes;
  /// It reaches more than half of all the nodes that it or one of those has a
  /// link to. Who does not is cut off, and nobody moves for it.
  bool in_touch = false;
  /// How many nodes that are in touch could use what it leads: of those it
  /// reaches, and itself.
  std::uint32_t serves = 0;

  [[nodiscard]] core::shared_bytes encode() const;
  /// Errors: malformed.
  [[nodiscard]] static core::result<reach_word> decode(core::bytes_view bytes);

  friend bool operator==(const reach_word&, const reach_word&) = default;
};

/// Which nodes have links to which, as all of them tell each other every so
/// often. Of two nodes that can't reach each other while a third reaches both,
/// neither should lead: who is at the other one could not use what it leads.
/// Every node reckons for itself whom it serves, and what it says is what all
/// go by. So they agree on who of two serves more, and leaders that only go to
/// who does come to rest. Any thread.
class reach_board {
public:
  /// What was said so long ago counts no more: it is said twice a second.
  static constexpr core::milliseconds memory{3'000};

  /// False if the bytes are none.
  bool take(core::node_id from, core::bytes_view bytes, core::steady_time now);
  /// This node has links to those; what it says of it.
  reach_word set_own(core::node_id self, std::vector<core::node_id> linked,
                     core::steady_time now);

  /// Whether the node is known to serve fewer than this one.
  [[nodiscard]] bool serves_less(core::node_id node,
                                 core::steady_time now) const;
  /// Whether the node may be elected by those voters: it is not known to be
  /// without a majority of them.
  [[nodiscard]] bool may_win(core::node_id node,
                             const std::vector<core::node_id>& voters,
                             core::steady_time now) const;
  /// Who of them is known to serve more than this node, and most, and to reach
  /// a majority of the voters; of equals the first.
  [[nodiscard]] std::optional<core::node_id>
  serves_most(const std::vector<core::node_id>& of,
              const std::vector<core::node_id>& voters,
              core::steady_time now) const;

private:
  struct heard_word {
    reach_word word;
    core::steady_time said{};
  };
  /// Null if nothing was heard of late.
  [[nodiscard]] const reach_word* word_of(core::node_id node,
                                          core::steady_time now) const;

  mutable std::mutex mutex_;
  reach_word own_;
  std::map<core::node_id, heard_word> words_; // of the nodes there ever were
};

} // namespace troupe::actors
