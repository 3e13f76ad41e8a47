// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"
#include "net/mqtt/encoder.hpp"
#include "net/mqtt/packets.hpp"
#include "net/output_queue.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace troupe::net::mqtt {

/// What is different in a PUBLISH from subscriber to subscriber.
struct publish_terms {
  qos level = qos::at_most_once;
  bool duplicate = false;
  bool retain = false;
  packet_id id{}; ///< exactly above QoS 0
  // MQTT 5
  std::optional<std::uint16_t> topic_alias{};
  bool topic_known = false; ///< the alias stands for it: leave the name out
  std::span<const std::uint32_t> subscription_ids{};

  /// Such a frame is the same for everybody who speaks the version.
  [[nodiscard]] bool is_shared() const noexcept {
    return level == qos::at_most_once && !topic_alias &&
           subscription_ids.empty();
  }
};

/// One publication on its way to many subscribers. Topic and properties are
/// encoded once; the payload is never copied, but where that is cheaper than a
/// reference (output_queue::reference_bytes_min). At QoS 0, without terms of
/// its own, a subscriber's frame is the one all others get.
///
/// Made from what the gate has at hand and used on its thread; what it hands
/// out may outlive it.
class outgoing_publish {
public:
  /// REQUIRES: texts that are texts; properties of MQTT 5 reach only those who
  /// speak it.
  outgoing_publish(std::string_view topic, const message_properties& properties,
                   core::shared_bytes payload);

  /// whole, or too_large (nothing was written, see encode_status).
  [[nodiscard]] encode_status
  append_to(output_queue& out, version by, const publish_terms& terms,
            std::size_t packet_bytes_max = packet_bytes_unbounded);

  /// The same as pieces, for a framing around it; the second may be empty.
  [[nodiscard]] std::optional<std::array<core::shared_bytes, 2>>
  pieces(version by, const publish_terms& terms,
         std::size_t packet_bytes_max = packet_bytes_unbounded);

  /// Whether either of these would do it.
  [[nodiscard]] bool fits(version by, const publish_terms& terms,
                          std::size_t packet_bytes_max) const;

  /// Bytes of the PUBLISH with these terms.
  [[nodiscard]] std::size_t size(version by,
                                 const publish_terms& terms) const noexcept;

private:
  using frame_pieces = std::array<core::shared_bytes, 2>;

  [[nodiscard]] std::size_t own_bytes(const publish_terms& terms) const;
  [[nodiscard]] std::size_t remaining(version by,
                                      const publish_terms& terms) const;
  [[nodiscard]] std::size_t head_bytes(version by,
                                       const publish_terms& terms) const;
  void write_head(std::byte* to, version by, const publish_terms& terms) const;
  const frame_pieces& shared_frame(version by, const publish_terms& terms);

  core::shared_bytes topic_;
  core::shared_bytes properties_; // encoded, without their length
  core::shared_bytes payload_;
  // Of MQTT 5 and of the others, without and with RETAIN; made when asked for.
  std::array<std::optional<frame_pieces>, 4> shared_;
  bool too_long_ = false;
};

} // namespace troupe::net::mqtt
