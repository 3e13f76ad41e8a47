// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/publication.hpp"
#include "net/mqtt/packets.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace troupe::net::mqtt {

/// A message of QoS 1 or 2 for a client.
struct outgoing {
  core::publication_ptr what;
  qos level = qos::at_least_once;
  bool retain = false;
  std::vector<std::uint32_t> subscription_ids{};
};

/// The messages of QoS 1 and 2 for one client: those under way, by packet id,
/// and behind them those that wait. Ids are given in turn, so that one is used
/// again as late as can be; what is under way never spans all of them. Owned by
/// a gate; owns no memory while nothing is under way.
class send_window {
public:
  struct bounds {
    std::uint16_t inflight_max = 1; ///< not 0
    std::size_t messages_max = 0;   ///< that wait
    std::size_t bytes_max = 0;
  };
  explicit send_window(bounds most) : bounds_(most) {}

  /// Whether one more may be under way.
  [[nodiscard]] bool open() const noexcept {
    return inflight_ < bounds_.inflight_max && span() < ids_max;
  }
  /// An id for a message that goes now. REQUIRES: open().
  packet_id begin(qos level);
  /// It did not go.
  void take_back(packet_id id);

  enum class outcome : std::uint8_t {
    done,      ///< it is under way no more
    release,   ///< PUBREL is due
    unknown,   ///< nothing of that id is under way
    violation, ///< an answer of another QoS, or out of turn
  };
  outcome on_puback(packet_id id);
  outcome on_pubrec(packet_id id, bool failed);
  outcome on_pubcomp(packet_id id);

  /// Whether it may wait behind the others.
  [[nodiscard]] bool takes(const core::publication& what) const;
  /// Puts one behind those that wait. False: there is no room.
  [[nodiscard]] bool wait(outgoing what);
  [[nodiscard]] bool any_waits() const noexcept {
    return waiting_ != nullptr && !waiting_->empty();
  }
  /// The one that waited longest. REQUIRES: any_waits().
  outgoing take_first();

  [[nodiscard]] std::size_t inflight() const noexcept { return inflight_; }
  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_ ? waiting_->size() : 0;
  }
  void clear();

private:
  enum class state : std::uint8_t { none, puback, pubrec, pubcomp };
  static constexpr std::size_t ids_max = 65'535;

  [[nodiscard]] std::size_t span() const noexcept {
    return states_.size() - first_;
  }
  state* find(packet_id id);
  void end(state& of);

  const bounds bounds_;
  // By id, in turn: states_[first_] is that of the oldest, whose turn is
  // turn_, and none is one that is over while an older one is not.
  std::vector<state> states_;
  std::size_t first_ = 0;
  std::uint64_t turn_ = 0;
  std::size_t inflight_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::unique_ptr<std::deque<outgoing>> waiting_;
};

} // namespace troupe::net::mqtt
