// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/batch_codec.hpp"
#include "actors/links/link_types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace troupe::actors::links {

/// What waits for one link: a queue a lane, each with the credit its receiver
/// granted. Control goes first; a lane without credit waits without holding
/// up the other. Its bound is kept by whoever pushes (peer_port). Pure.
class send_queue {
public:
  struct outgoing {
    links::lane lane{};
    core::shared_bytes bytes;
    std::uint32_t messages = 0;
  };

  /// Bytes that may be under way, as the peer's hello said.
  void open(const std::array<std::uint32_t, lanes>& windows);

  /// Small batches are joined while they wait.
  void push(lane l, std::vector<batch> batches);
  /// The next one its credit allows.
  std::optional<outgoing> take();
  /// The peer has consumed so many bytes since the link began. False if it
  /// claims more than was sent.
  [[nodiscard]] bool on_consumed(lane l, std::uint64_t total);

  /// Something waits for credit.
  [[nodiscard]] bool blocked() const noexcept;
  /// Grows whenever credit comes: a link that is blocked and whose progress
  /// stands still has a stuck peer.
  [[nodiscard]] std::uint64_t progress() const noexcept;
  [[nodiscard]] std::size_t queued_bytes(lane l) const noexcept {
    return at(l).queued;
  }
  [[nodiscard]] std::uint64_t in_flight_bytes(lane l) const noexcept {
    return at(l).sent - at(l).consumed;
  }
  [[nodiscard]] std::uint64_t credit_bytes(lane l) const noexcept;
  /// Messages that end in what waits.
  [[nodiscard]] std::uint64_t queued_messages() const noexcept;

private:
  struct lane_state {
    std::deque<batch> waiting;
    std::size_t queued = 0;
    std::uint64_t window = 0;
    std::uint64_t sent = 0;
    std::uint64_t consumed = 0;
  };
  lane_state& at(lane l) { return lanes_[static_cast<std::size_t>(l)]; }
  [[nodiscard]] const lane_state& at(lane l) const {
    return lanes_[static_cast<std::size_t>(l)];
  }
  [[nodiscard]] static bool may_send(const lane_state& s) noexcept;

  std::array<lane_state, lanes> lanes_;
};

} // namespace troupe::actors::links
