// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/channels/channel_summary.hpp"
#include "actors/handles.hpp"
#include "core/clock.hpp"

#include <caf/fwd.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::actors::channels {

struct channel_options {
  /// Actors alive; a channel above that is served but not shown.
  std::size_t channels_max = 100'000;
  /// One to which nobody listens for so long is passivated.
  core::milliseconds passivate_after{15'000};
  /// Listeners of one that are known by name.
  std::size_t listeners_named_max = 1000;
};

/// Relaxed, written on any thread.
struct channel_stats {
  using counter = std::atomic<std::uint64_t>;

  counter live{0}; ///< now
  counter born{0}; ///< so far, as all below
  counter passivated{0};
  counter unshown{0}; ///< times one found no room
  counter reports{0}; ///< from loops to actors
};

/// What is kept of what was published in a channel.
struct kept_messages {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::string oldest{}; ///< marks as doors tell them, "" without messages
  std::string newest{};
};

/// The living channels of a node: makes and forgets their actors. Thread-safe;
/// owned by the node, outlives the actors and whoever opens channels. A look-up
/// holds one of a few locks for about as long as a hash table needs.
class channel_host {
public:
  /// `clock` outlives it.
  channel_host(caf::actor_system& system, const core::clock& clock,
               channel_options options);
  ~channel_host();
  channel_host(const channel_host&) = delete;
  channel_host& operator=(const channel_host&) = delete;

  /// What of a channel's past the node keeps. Set once, before the first
  /// channel; called on any loop, under a lock: must not call back.
  std::function<kept_messages(std::string_view realm, std::string_view topic)>
      kept = [](std::string_view, std::string_view) { return kept_messages{}; };

  /// Somebody begins to listen and will send the channel's actor a report that
  /// `begins`. Null: it is not shown, for want of room or because the node
  /// stops.
  [[nodiscard]] channel_actor open(std::string_view realm,
                                   std::string_view topic);
  /// There is something to keep of a channel that had nothing: it lives.
  void keep(std::string_view realm, std::string_view topic);
  /// Null if it does not live.
  [[nodiscard]] channel_actor find(std::string_view realm,
                                   std::string_view topic) const;
  /// All that live, in no order that means something. Copies: takes
  /// milliseconds if there are many; not on a loop.
  [[nodiscard]] std::vector<std::shared_ptr<const channel_summary>>
  list() const;

  /// The actor of a channel that has seen so many beginnings would end: true,
  /// it must, and is forgotten; false: somebody comes, or something is kept.
  bool passivate(std::string_view realm, std::string_view topic,
                 std::uint64_t begun);
  /// Ends all; nothing is opened any more.
  void retire();

  [[nodiscard]] const core::clock& clock() const { return clock_; }
  [[nodiscard]] const channel_options& options() const { return options_; }
  [[nodiscard]] channel_stats& stats() { return stats_; }
  [[nodiscard]] const channel_stats& stats() const { return stats_; }

private:
  struct slot {
    std::shared_ptr<channel_summary> summary;
    channel_actor actor;
    std::uint64_t begun = 0;
  };
  /// So that loops seldom meet.
  struct stripe {
    mutable std::mutex mutex;                    // guards all below
    std::unordered_map<std::string, slot> slots; // by realm, 0, topic
  };
  static constexpr std::size_t stripes = 16;

  /// Null if there is no room. Under the stripe's lock.
  slot* find_or_make(stripe& in, std::string key, std::string_view realm,
                     std::string_view topic, std::size_t hash);

  caf::actor_system& system_;
  const core::clock& clock_;
  const channel_options options_;
  channel_stats stats_;
  std::atomic<bool> retired_{false};
  std::array<stripe, stripes> stripes_;
};

} // namespace troupe::actors::channels
