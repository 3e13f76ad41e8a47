// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/packets.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::net::mqtt {

/// The publications of QoS 1 and 2 that a client has under way: those whose
/// answer is due, in their order, and the ids of QoS 2 that are not released.
/// Owned by a gate; owns no memory while there are none.
class receive_window {
public:
  /// An answer that may go.
  struct answer {
    packet_id id{};
    qos level = qos::at_least_once;
    reason_code outcome = reason_code::success;
  };

  /// How many the client has under way.
  [[nodiscard]] std::size_t size() const noexcept {
    return waiting_once_ + ids_.size();
  }
  /// Whether this one of QoS 2 came before and was not released.
  [[nodiscard]] bool holds(packet_id id) const;
  /// Whether its answer has not gone yet.
  [[nodiscard]] bool is_due(packet_id id) const;

  /// A publication came; its answer goes behind those of all before it.
  void begin(packet_id id, qos level, std::uint64_t ticket);
  /// The answer to the one of this ticket is known.
  void set(std::uint64_t ticket, reason_code outcome);
  /// The next answer that may go. False: none.
  bool take(answer& next);
  /// Nothing is waited for.
  [[nodiscard]] bool settled() const noexcept { return first_ == line_.size(); }
  /// Answers that are waited for.
  [[nodiscard]] std::size_t waiting() const noexcept {
    return line_.size() - first_;
  }

  /// PUBREL. False: there is none of that id.
  bool release(packet_id id);
  void clear();

private:
  struct place {
    std::uint64_t ticket = 0;
    answer told;
    bool ready = false;
  };

  std::vector<place> line_; ///< from first_
  std::size_t first_ = 0;
  std::size_t waiting_once_ = 0;   ///< of QoS 1
  std::vector<std::uint16_t> ids_; ///< of QoS 2, ascending
};

} // namespace troupe::net::mqtt
