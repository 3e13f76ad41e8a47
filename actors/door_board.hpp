// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors {

/// Where clients of MQTT may go instead: what each node tells all others every
/// so often, as long as it takes clients. docs/formats/group-frames.md has the
/// bytes. Any thread.
class door_board {
public:
  static constexpr std::size_t text_max = 512;
  /// What was said so long ago counts no more: it is said twice a second.
  static constexpr core::milliseconds memory{5'000};

  /// What this node says; "": it has nothing to say. Once, at start.
  void set_own(std::string text);
  /// The word that this node says now; a draining one takes nobody.
  [[nodiscard]] core::shared_bytes word(bool draining) const;

  /// False if the bytes are none.
  bool take(core::node_id from, core::bytes_view bytes, core::steady_time now);
  /// Those of the other nodes that take clients, with blanks between; the
  /// first is another one each time.
  [[nodiscard]] std::string others(core::steady_time now) const;

private:
  struct entry {
    std::string text;
    core::steady_time said{};
  };
  mutable std::mutex mutex_; // guards all
  std::string own_;
  std::map<core::node_id, entry> told_;
  mutable std::size_t turn_ = 0;
};

/// Whether a text may be said: HOST:PORT, or whatever a client makes of it,
/// without blanks.
[[nodiscard]] bool is_door_text(std::string_view text);

} // namespace troupe::actors
