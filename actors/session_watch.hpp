// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "core/session_machine.hpp"
#include "core/session_store.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::actors {

/// What the leader of a shard does for its sessions beside applying commands:
/// hands those that are pending to a courier, and finds those whose connection
/// is gone without a word (its node died, or the leader before did). Owned by
/// the shard's state, used on its loop only. Idle where the shard is not led.
class session_watch final : public core::session_observer {
public:
  /// Handed over once more if nothing has come of it by then.
  static constexpr core::milliseconds patience{30'000};
  /// Pending sessions that couriers work on at once; more wait.
  static constexpr std::size_t handed_max = 1024;
  /// Records looked at in one go.
  static constexpr std::size_t slice = 2'000;

  struct parts {
    broker_context& context;
    const core::session_store& store;
    /// Whether somebody is attached to a session, or was a moment ago.
    std::function<bool(const core::owner&)> is_held;
    /// Proposes a command of the shard's own; false: there is no room now.
    std::function<bool(core::shard_command)> propose;
  };
  explicit session_watch(parts with) : with_(std::move(with)) {}

  /// This node leads from now on, and its tables are up to date. Connections
  /// have a grace to say that they are still there.
  void begin(core::steady_time now);
  void end();
  [[nodiscard]] bool leads() const { return leads_; }

  /// A session of which the connection is gone; closes its record.
  void free(const core::owner& name);
  /// Commands were applied, or time has passed.
  void work(core::steady_time now);
  /// Of a shard that has open records to look at: call work() by then.
  [[nodiscard]] bool busy() const { return leads_ && !scanned_; }

  // core::session_observer
  void on_session_pending(const core::owner& name,
                          const core::session_record& record) override;
  void on_session_dropped(const core::owner& name,
                          const core::session_record& record) override;
  void on_will_replaced(const core::owner& name,
                        const core::session_record& record) override;

private:
  /// By session and connection: a will is published once for each.
  using handed_key = std::pair<core::owner, std::uint64_t>;

  void hand_over(const core::owner& name, const core::session_record& record,
                 bool only_will);
  void look_for_pending(core::steady_time now);
  void scan();

  parts with_;
  bool leads_ = false;
  bool scanned_ = true;
  bool pending_ = false; ///< some may wait
  core::steady_time grace_ends_{};
  std::optional<core::owner> scanned_to_;
  std::map<handed_key, core::steady_time> handed_;
};

} // namespace troupe::actors
