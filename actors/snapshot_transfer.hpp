// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/group_transport.hpp"
#include "actors/replica.hpp"
#include "actors/snapshot_storage.hpp"
#include "cluster/snapshot_wire.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace troupe::actors {

/// What both ends of a transfer work with; owned by the group's host.
struct snapshot_surroundings {
  core::group_id group;
  group_transport* transport = nullptr;
  snapshot_storage* storage = nullptr;
  actors::replica* replica = nullptr;
  const core::clock* clock = nullptr;
  broker_stats* stats = nullptr;
};

/// A leader's end of one snapshot for one follower: writes the tables to a
/// spool file, offers it, sends what the follower allows, and waits until it
/// is installed. Repeats its offer while nothing moves, so that a lost frame or
/// a broken link costs a second; gives up when the follower has been silent for
/// half a minute, or the leader leads no more. Bounded memory: a few chunks.
class snapshot_sender {
public:
  snapshot_sender(const snapshot_surroundings& around, core::node_id to,
                  core::term term);
  /// Gives its place and its file back.
  ~snapshot_sender();
  snapshot_sender(const snapshot_sender&) = delete;
  snapshot_sender& operator=(const snapshot_sender&) = delete;

  void start();
  void on_progress(const cluster::snapshot_progress& m);
  void on_tick();
  /// The core has been told how it went; to be destroyed.
  [[nodiscard]] bool finished() const { return finished_; }

private:
  void on_written(const core::result<storage::spool_summary>& file);
  void offer();
  void send_more();
  void on_read(std::uint64_t offset, unsigned attempt,
               const core::result<core::shared_bytes>& bytes);
  void finish(bool complete);
  [[nodiscard]] bool still_leads() const;

  const snapshot_surroundings& around_;
  const core::node_id to_;
  const core::term term_;
  /// Gone when this is: what storage reports later is for nobody.
  std::shared_ptr<snapshot_sender*> alive_;
  storage::spool_id file_ = 0;
  std::optional<cluster::snapshot_offer> offer_;
  std::uint64_t received_ = 0;
  std::uint64_t allowed_ = 0;
  std::uint64_t next_ = 0;    ///< to be read and sent
  std::size_t reading_ = 0;   ///< chunks asked of the disk
  unsigned attempt_ = 0;      ///< raised by every rewind
  core::steady_time heard_{}; ///< from the follower
  core::steady_time moved_{}; ///< it had more, or was asked
  bool counted_ = false;      ///< has a place among the transfers
  bool pinned_ = false;
  bool finished_ = false;
};

/// A follower's end: spools what comes, checks it, gives the announcement to
/// the core, and installs when the core says so. One at a time in a group.
class snapshot_receiver {
public:
  /// `replace` is called when the tables are others than before: what was read
  /// from them is no longer true.
  snapshot_receiver(const snapshot_surroundings& around,
                    std::function<void()> replace);
  ~snapshot_receiver();
  snapshot_receiver(const snapshot_receiver&) = delete;
  snapshot_receiver& operator=(const snapshot_receiver&) = delete;

  void on_offer(core::node_id from, const cluster::snapshot_offer& m);
  void on_chunk(core::node_id from, const cluster::snapshot_chunk& m);
  void on_tick();
  /// The core wants the contents installed.
  void install(const cluster::snapshot_meta& meta);

private:
  struct transfer {
    core::node_id from;
    cluster::snapshot_offer offer;
    storage::spool_id file = 0;
    std::uint64_t expected = 0; ///< offset of the next chunk
    std::uint64_t written = 0;  ///< in the file
    cluster::snapshot_state state = cluster::snapshot_state::receiving;
    core::steady_time heard{};
    bool rewound = false; ///< has asked for it since the last good chunk
  };

  void begin(core::node_id from, const cluster::snapshot_offer& m);
  void on_appended(std::uint64_t written, const core::result<void>& outcome);
  [[nodiscard]] storage::spool_summary summary() const;
  void on_checked(const core::result<void>& outcome);
  void on_installed(const cluster::snapshot_meta& meta,
                    const core::result<void>& outcome);
  void tell(core::node_id to, std::uint64_t transfer,
            cluster::snapshot_state state, bool rewind = false);
  void end(cluster::snapshot_state how);
  template <class T>
  snapshot_storage::then_function<T>
  continued(snapshot_storage::then_function<T> then);

  const snapshot_surroundings& around_;
  std::function<void()> replace_;
  std::optional<transfer> current_;
  /// The last one that ended, for who asks again.
  std::uint64_t last_ = 0;
  cluster::snapshot_state last_state_ = cluster::snapshot_state::refused;
};

} // namespace troupe::actors
