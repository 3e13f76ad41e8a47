// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"
#include "net/mq/packet_head.hpp"
#include "net/output_queue.hpp"

#include <cstdint>
#include <string_view>

namespace troupe::net::mq {

/// Why a gate says goodbye; a framing that has words for it may use them.
enum class goodbye : std::uint8_t {
  quit,          ///< a quit packet with the reason went before
  server_stop,   ///< the node shuts down; nothing went before
  moved,         ///< another node is to be asked; nothing went before
  answer_to_peer ///< the peer closed first
};

/// A framing, as a gate sees it. Implemented by the protocol that owns the
/// gate.
class packet_sink {
public:
  virtual ~packet_sink() = default;

  /// Writes one packet. REQUIRES: head.finish() returned true.
  virtual void send(packet_head& head, const core::shared_bytes& etc,
                    const core::shared_bytes& data, output_queue& out) = 0;

  /// Writes the framing's close. The last call to a sink.
  virtual void send_close(goodbye why, std::string_view reason,
                          output_queue& out) = 0;
};

} // namespace troupe::net::mq
