// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"
#include "net/mqtt/packets.hpp"
#include "net/output_queue.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace troupe::net::mqtt {

/// Without a bound by the peer: what a remaining length can say.
inline constexpr std::size_t packet_bytes_unbounded =
    fixed_header_bytes_max + variable_integer_max;

enum class encode_status : std::uint8_t {
  whole,
  shortened, ///< without user properties, and without reason string if need be
  /// Even so it would exceed the peer's maximum, or a field 65,535 bytes.
  /// Nothing was written: a PUBLISH then counts as sent [MQTT-3.1.2-25].
  too_large,
  /// The version has no such packet: AUTH, a server's DISCONNECT. Nothing was
  /// written.
  not_in_version,
};

/// One packet's bytes: what was written, then the payload, which is shared.
/// Lives on the stack while a packet is sent; most need no heap.
class encoded_packet {
public:
  encoded_packet() = default;
  encoded_packet(const encoded_packet&) = delete;
  encoded_packet& operator=(const encoded_packet&) = delete;

  [[nodiscard]] core::bytes_view head() const noexcept {
    return {large_.empty() ? inline_.data() : large_.data(), head_bytes_};
  }
  [[nodiscard]] const core::shared_bytes& payload() const noexcept {
    return payload_;
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return head_bytes_ + payload_.size();
  }

  void append_to(output_queue& out) const;
  /// The same as lasting pieces, for a framing around it (WebSocket).
  [[nodiscard]] std::array<core::shared_bytes, 2> pieces() const;

  /// Makes room for the head and calls `fill(std::byte*)`.
  template <class Fill>
  void build(std::size_t head_bytes, const core::shared_bytes& payload,
             Fill&& fill) {
    head_bytes_ = head_bytes;
    payload_ = payload;
    large_ = {};
    if (head_bytes <= inline_.size())
      fill(inline_.data());
    else
      large_ = core::shared_bytes::build(head_bytes, fill);
  }

private:
  std::array<std::byte, 256> inline_;
  core::shared_bytes large_; // the head, if it is too long for inline_
  core::shared_bytes payload_;
  std::size_t head_bytes_ = 0;
};

/// Encodes a packet in a version's way; a CONNECT says its version itself, and
/// `by` is then of no meaning. What the version can't say is left out; reasons
/// become return codes (a CONNACK whose reason has none: not_in_version).
///
/// User properties and the reason string are left out, in this order, of what
/// would exceed `packet_bytes_max` (the peer's maximum packet size): only those
/// of answers, DISCONNECT and AUTH, since those of a publication belong to it.
///
/// REQUIRES: a packet identifier where the type needs one; texts that are texts
/// (is_text()); keep alives below 65,536; flags that fit together.
[[nodiscard]] encode_status
encode(encoded_packet& to, const any_packet& what, version by,
       std::size_t packet_bytes_max = packet_bytes_unbounded);

/// The same, onto a queue.
[[nodiscard]] encode_status
encode(output_queue& to, const any_packet& what, version by,
       std::size_t packet_bytes_max = packet_bytes_unbounded);

} // namespace troupe::net::mqtt
