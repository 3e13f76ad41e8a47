// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"
#include "net/mqtt/packets.hpp"
#include "net/mqtt/violation.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

/// Bytes to packets, in two steps: decode_frame() finds where a packet ends,
/// decode() reads it. Pure functions; nothing is remembered in between.
namespace troupe::net::mqtt {

/// What stands at the front of some bytes.
struct frame {
  enum class status : std::uint8_t {
    need_more, ///< `bytes` is how many are needed in all, 0 if not yet known
    packet,    ///< a whole packet; `bytes` were used
    violation, ///< `broken` says why; the connection has to end
  };
  status what = status::need_more;
  packet_type type{};
  std::uint8_t flags = 0;
  bool padded_length = false; ///< the remaining length could be shorter
  core::bytes_view body{};    ///< of a packet: behind the fixed header
  std::size_t bytes = 0;
  violation broken{};
};

/// Reads the fixed header at the front of `in`, and all of it that is there:
/// wrong flags, and sizes above `packet_bytes_max` (fixed header included, as
/// MQTT 5's maximum packet size), are refused before the body has come.
/// `speaking` is the version whose clauses violations name.
[[nodiscard]] frame decode_frame(core::bytes_view in,
                                 std::size_t packet_bytes_max,
                                 version speaking = version::v5) noexcept;

/// Bounds of what one packet may make in memory; the packet's size is
/// decode_frame()'s to bound. quota_exceeded above them.
struct decode_limits {
  std::size_t user_properties_max = 1024;
  std::size_t filters_max = 8192; ///< of a SUBSCRIBE, an UNSUBSCRIBE
};

struct decode_options {
  /// Of the connection; of no meaning for a CONNECT, which says itself.
  version speaking = version::v5;
  /// Who has sent it.
  sender from = sender::client;
  /// If set, the frame lies inside of it, and what is kept of a large packet
  /// becomes a slice instead of a copy (field_reader::reference_bytes_min).
  const core::shared_bytes* owner = nullptr;
  decode_limits limits{};
};

/// A packet, or what is wrong with it.
struct decoded {
  any_packet value{};
  violation broken{};

  explicit operator bool() const noexcept {
    return broken.reason == reason_code::success;
  }
};

/// Reads one whole packet. Its strings are valid as long as the frame's bytes.
///
/// What is lenient on purpose: client identifiers of any length (3.1 allows 23
/// characters); a remaining length that is not as short as it could be before
/// MQTT 5; in 3.1 a user name or password that a flag announces and that is
/// missing at the packet's end. What is not checked here: the syntax of topic
/// filters (topic_spelling.hpp: a SUBACK can refuse them one by one), whether a
/// payload that says so is UTF-8 (payload_format_invalid), and everything that
/// depends on what was sent before.
[[nodiscard]] decoded decode(const frame& whole, const decode_options& how);

/// The version a CONNECT speaks, even if the rest of it is wrong: in whose
/// words it is to be refused. Nothing if there is no such version.
[[nodiscard]] std::optional<version>
version_of(const frame& connect_packet) noexcept;

} // namespace troupe::net::mqtt
