// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "net/mqtt/packets.hpp"
#include "net/mqtt/send_window.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace troupe::net::mqtt {

/// A message from the inbox of a session that outlives its connection.
struct queued_delivery {
  core::inbox_position position;
  outgoing what;
  bool again = false; ///< an earlier connection may have been sent it
};

/// The messages of QoS 1 and 2 for a client whose session outlives the
/// connection: those under way, and behind them those that wait. The packet id
/// follows from the position in the inbox, so that it is the same one on every
/// connection. What the client has is told in the order of positions: an answer
/// that comes early is kept until those before it have come. Bounded by what
/// the inbox sends ahead. Owned by a gate.
class lasting_window {
public:
  using outcome = send_window::outcome;
  /// What the client has by now, and those ids of it that begin to wait for
  /// PUBCOMP.
  struct settlement {
    core::inbox_position up_to;
    std::vector<std::uint16_t> awaiting;
  };

  /// `awaiting`: ids that wait for PUBCOMP since an earlier connection.
  lasting_window(std::uint16_t inflight_max,
                 const std::vector<std::uint16_t>& awaiting);

  [[nodiscard]] static packet_id id_of(core::inbox_position position);

  /// Behind all that wait. Positions ascend.
  void add(queued_delivery what) { waiting_.push_back(std::move(what)); }
  /// The first one that waits, if it may be sent now; else null.
  [[nodiscard]] const queued_delivery* ready() const;
  /// It is sent. REQUIRES: ready().
  void begin();
  /// It need not be sent: as if the client had answered. REQUIRES: ready().
  void skip();

  outcome on_puback(packet_id id);
  /// release: the id waits for PUBCOMP by now, and PUBREL may be sent again.
  /// done: something is to be told; PUBREL follows on_released().
  outcome on_pubrec(packet_id id, bool failed);
  outcome on_pubcomp(packet_id id);
  /// What was to be told, once.
  [[nodiscard]] std::optional<settlement> take_settled();
  /// The settlement of this id is durable.
  void on_released(packet_id id);

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::size_t inflight() const {
    return open_ + awaiting_.size();
  }

private:
  static constexpr std::uint64_t ids_max = 65'535;
  enum class state : std::uint8_t { sent, received, done };
  struct entry {
    core::inbox_position position;
    qos level = qos::at_least_once;
    state is = state::sent;
  };

  entry* find(packet_id id);
  void push(state as);
  void settle_first();

  const std::uint16_t inflight_max_;
  std::deque<queued_delivery> waiting_;
  std::deque<entry> sent_; ///< by position; those behind one that is not over
  std::size_t open_ = 0;   ///< of them: not over
  std::map<std::uint16_t, bool> awaiting_; ///< true: PUBREL may go
  std::optional<settlement> settled_;
};

} // namespace troupe::net::mqtt
