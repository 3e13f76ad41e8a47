// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace troupe::actors {

/// How many other nodes each node has a link to, as all of them tell each other
/// every so often. Of two nodes that can't reach each other while a third
/// reaches both, neither should lead: who is at the other one could not use
/// what it leads. Any thread. docs/formats/group-frames.md has the bytes.
class reach_board {
public:
  /// What was said so long ago counts no more: it is said twice a second.
  static constexpr core::milliseconds memory{3'000};

  [[nodiscard]] static core::shared_bytes encode(std::uint32_t nodes);
  /// False if the bytes are none.
  bool take(core::node_id from, core::bytes_view bytes, core::steady_time now);
  void set_own(std::uint32_t nodes);

  /// Whether the node is known to reach fewer than this one.
  [[nodiscard]] bool reaches_less(core::node_id node,
                                  core::steady_time now) const;
  /// Who of them is known to reach more than this node, and most; of equals the
  /// first.
  [[nodiscard]] std::optional<core::node_id>
  reaches_most(const std::vector<core::node_id>& of,
               core::steady_time now) const;

private:
  struct word {
    std::uint32_t nodes = 0;
    core::steady_time said{};
  };
  [[nodiscard]] std::optional<std::uint32_t>
  reach_of(core::node_id node, core::steady_time now) const;

  mutable std::mutex mutex_;
  std::uint32_t own_ = 0;
  std::map<core::node_id, word> words_; // of the nodes there ever were
};

} // namespace troupe::actors
