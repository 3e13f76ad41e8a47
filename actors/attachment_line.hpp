// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attachment_wire.hpp"
#include "actors/context.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>

namespace troupe::actors {

/// Carries the frames of attachments to other nodes. What comes in goes to
/// attachment_table::on_frame(), on any thread; that a link is gone, to
/// on_peer_down(). Owned by the node, outlives the actors; called on every
/// loop.
///
/// What one actor sends to one node in one way and under one key arrives in
/// order and once, until the link to that node ends: then all that was under
/// way may be lost, and both sides are told by on_peer_down() before they get
/// anything that was sent later.
class attachment_transport {
public:
  virtual ~attachment_transport() = default;

  /// Never blocks. unavailable: no link; overloaded: no room now, ask again;
  /// anything else: it can't be sent at all.
  virtual core::result<void> send(core::node_id to, attachment_way way,
                                  std::uint64_t key,
                                  core::shared_bytes frame) = 0;
};

/// The frames of one attachment on their way out, in order, whatever room the
/// link has. Owned by a proxy, used on its loop only.
class attachment_line {
public:
  /// What may wait is bounded by the inbox's credit and the session's
  /// requests; a line that has more is lost.
  static constexpr std::size_t frames_max = 16'384;
  /// How soon what waits is tried again.
  static constexpr core::milliseconds retry_interval{20};

  attachment_line(attachment_transport& transport, broker_stats& stats,
                  core::node_id peer, attachment_way way, std::uint64_t key,
                  std::uint64_t number)
      : transport_(&transport), stats_(&stats), peer_(peer), way_(way),
        key_(key), number_(number) {}

  /// False: the link is gone, or too slow; nothing can be sent any more.
  bool send(const attachment_words::any& what);
  /// Sends what waits as far as there is room; false as above.
  bool retry();
  /// retry() is due in retry_interval.
  [[nodiscard]] bool waits() const { return !waiting_.empty(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] core::node_id peer() const { return peer_; }

private:
  attachment_transport* transport_;
  broker_stats* stats_;
  core::node_id peer_;
  attachment_way way_;
  std::uint64_t key_;
  std::uint64_t number_; ///< of the attachment
  std::deque<core::shared_bytes> waiting_;
};

} // namespace troupe::actors
