// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/channels/channel_book.hpp"
#include "actors/channels/channel_host.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"

#include <memory>
#include <string>

namespace troupe::actors::channels {

struct channel_deps {
  channel_host* host = nullptr; ///< outlives it
  std::shared_ptr<channel_summary> summary;
};

/// Owner: the host, which spawns it when somebody begins to listen to exactly
/// its topic (or something of it is kept), and forgets it when it is idle.
/// Publications do not pass through it: loops tell it what they did. Mailbox:
/// one report a loop and interval, and as many as the listeners that come and
/// go on one loop need at 1000 a report.
struct channel_state {
  static inline const char* name = "channel";
  using pointer = channel_actor::stateful_pointer<channel_state>;

  explicit channel_state(pointer ptr);
  /// "channels/REALM/LEVEL/LEVEL…"
  [[nodiscard]] std::string path() const;

  void start(channel_deps deps);
  void apply(const channel_report& report);
  void on_idle_tick();
  void retire_now();
  [[nodiscard]] std::string describe() const;

private:
  void publish_summary(core::steady_time now);
  void watch_idleness();

  pointer self_;
  channel_host* host_ = nullptr;
  std::shared_ptr<channel_summary> summary_;
  channel_book book_;
  /// A tick is on its way, and the beginnings there were when it was sent.
  bool tick_pending_ = false;
  std::uint64_t begun_at_tick_ = 0;
};

channel_actor::behavior_type channel_behavior(channel_state::pointer self,
                                              channel_deps deps);

} // namespace troupe::actors::channels
