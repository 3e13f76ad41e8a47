// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "net/audit_pen.hpp"
#include "net/identity/live_rights.hpp"
#include "net/msgbus/bus_stats.hpp"
#include "net/msgbus/gatekeeper.hpp"
#include "net/topic_space.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::net::msgbus {

struct bus_options {
  std::string realm = "default";
  /// Bytes that may wait for a subscriber; with more, messages are dropped.
  std::size_t backlog_bytes_max = 1'000'000;
  /// A subscriber that takes nothing of what waits for so long is cut.
  core::milliseconds write_stall{50'000};
  /// A subscriber that has ended its side is served on for so long. One that
  /// is gone looks the same until something is written to it.
  core::milliseconds half_close{800};
  /// Between comments in a quiet event stream; 0: none.
  core::milliseconds heart_beat{15'000};
  /// A long poll waits for so long.
  core::milliseconds poll_time{30'000};
  /// Filters of senders keep out messages that have no sender, too.
  bool strict_senders = false;
  /// Of a Content-Type and of a sender's name: filters look at them.
  std::size_t field_bytes_max = 1024;
};

class desk;
class history;

/// How the bus says something without knowing who writes it down. Thread-safe;
/// outlives the network.
class bus_log {
public:
  virtual ~bus_log() = default;
  /// Whether debug() is worth a text.
  [[nodiscard]] virtual bool wants_debug() const = 0;
  virtual void debug(std::string_view text) = 0;
  /// `what` comes again and again, `which` differs.
  virtual void warn(std::string_view what, std::string_view which) = 0;
};

/// What subscribers and the bus share. Lives as long as any of them; what it
/// points to outlives it.
struct bus_context {
  bus_options options;
  /// Null: requests are turned away.
  msgbus::desk* desk = nullptr;
  // The rest is for the desk of the process that has the topics.
  topic_space* topics = nullptr;
  const gatekeeper* keeper = nullptr;
  bus_log* log = nullptr; ///< of all processes
  /// Null: none is kept, since= counts for nothing.
  history* past = nullptr;
  /// Null: subscribers are not told when rights change.
  identity::live_rights* live = nullptr;
  audit_pen audit{};
  bus_stats stats{};
};

} // namespace troupe::net::msgbus
