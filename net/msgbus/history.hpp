// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/publication.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::net::msgbus {

/// Names a message: what it is on the wire, as the id of an event and as
/// since=, is "NODE-NUMBER".
struct message_mark {
  std::uint32_t node = 0;
  std::uint64_t number = 0;

  [[nodiscard]] static message_mark of(const core::publication& p) {
    return {p.node.value(), p.number};
  }
  /// "" and "0" are before everything. Nothing if that is no mark.
  [[nodiscard]] static std::optional<message_mark> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  friend bool operator==(const message_mark&, const message_mark&) = default;
  friend auto operator<=>(const message_mark&, const message_mark&) = default;
};

struct history_options {
  std::string realm = "default";
  std::size_t messages_max = 100; ///< of a channel
  std::size_t bytes_max = std::size_t{64} << 20U;
  core::milliseconds time{600'000};
};

/// The last messages of every channel, in memory, as this node has seen them:
/// since its start, those of other nodes from when they know that it listens,
/// and nothing of what was lost on the way here. Thread-safe; one a node.
class history {
public:
  /// `clock` outlives it.
  history(history_options options, const core::clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  /// Topics of other realms, and the broker's own, are passed over. True:
  /// nothing was kept of its channel before.
  bool record(const core::publication_ptr& what);

  /// What is kept of one channel.
  struct extent {
    std::size_t messages = 0;
    std::size_t bytes = 0;
    message_mark oldest; ///< of no meaning without messages
    message_mark newest;
  };
  [[nodiscard]] extent look(std::string_view realm,
                            const std::string& topic_text);

  /// What came behind the message of that mark, oldest first; of one that is
  /// not here (any more): what has a higher number. At most so many bytes, the
  /// newest. `topic_text` unset: of all channels. Any thread.
  [[nodiscard]] std::vector<core::publication_ptr>
  since(const std::optional<std::string>& topic_text, message_mark after,
        std::size_t bytes_max);

  [[nodiscard]] std::size_t messages() const;
  [[nodiscard]] std::size_t bytes() const;

private:
  struct entry {
    core::publication_ptr what;
    core::steady_time when;
  };
  using entries = std::list<entry>;

  void forget_old();
  void forget(entries::iterator which);

  const history_options options_;
  const core::clock& clock_;
  mutable std::mutex mutex_;
  // All guarded by it. Of a channel and of all, the oldest first.
  entries all_;
  std::unordered_map<std::string, std::deque<entries::iterator>> channels_;
  std::size_t bytes_ = 0;
};

} // namespace troupe::net::msgbus
