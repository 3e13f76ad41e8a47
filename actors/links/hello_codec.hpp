// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/link_types.hpp"
#include "core/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The bytes two nodes exchange before a link exists (docs/formats/link.md).
/// Pure: no clock, no socket. Lengths are bounded before anything is
/// allocated.
namespace troupe::actors::links {

/// What this program speaks, and the oldest it understands.
inline constexpr std::uint16_t protocol_version = 1;
inline constexpr std::uint16_t protocol_version_min = 1;
/// Grows by one with each addition that both sides must know. 2: marks in the
/// streams about topics, questions for retained keys.
inline constexpr std::uint32_t feature_level = 2;

enum class frame_type : std::uint8_t {
  hello = 1,
  challenge = 2,
  proof = 3,
  accepted = 4,
  refusal = 5,
  join_request = 6,
  join_answer = 7,
};

inline constexpr std::size_t frame_head_size = 8;
inline constexpr std::size_t handshake_frame_max = 1024;
inline constexpr std::size_t address_size_max = 255;
inline constexpr std::size_t nonce_size = 32;
inline constexpr std::size_t proof_size = 32;
inline constexpr std::size_t refusal_text_max = 200;

using nonce_bytes = std::array<std::byte, nonce_size>;
using proof_bytes = std::array<std::byte, proof_size>;

struct frame_head {
  frame_type type{};
  std::uint32_t length = 0; ///< of the payload

  friend bool operator==(const frame_head&, const frame_head&) = default;
};

/// `payload_max` bounds what may follow. REQUIRES: frame_head_size bytes.
core::result<frame_head> decode_frame_head(core::bytes_view bytes,
                                           std::size_t payload_max);
/// Head and payload.
std::string encode_frame(frame_type type, std::string_view payload);

enum class purpose : std::uint8_t { link = 1, join = 2 };

/// Who says it and what it can do; the first frame of the dialer and, with a
/// proof, the last one of the acceptor.
struct hello {
  std::uint16_t version = protocol_version;
  std::uint16_t version_min = protocol_version_min;
  std::uint32_t features = feature_level;
  links::purpose purpose = purpose::link;
  cluster_name cluster{};
  core::node_id node;
  /// Whom the dialer wants to reach; 0: anybody.
  core::node_id expected;
  links::incarnation incarnation;
  nonce_bytes nonce{};
  /// Bytes the peer may have under way to this node, a lane each.
  std::array<std::uint32_t, lanes> window{};
  std::string address; ///< advertised

  friend bool operator==(const hello&, const hello&) = default;
};
/// Payloads, without the head.
std::string encode(const hello& h);
core::result<hello> decode_hello(core::bytes_view bytes);

/// The acceptor's answer to a hello: what the proof must cover.
struct challenge {
  std::uint16_t version = protocol_version;
  nonce_bytes nonce{};

  friend bool operator==(const challenge&, const challenge&) = default;
};
std::string encode(const challenge& c);
core::result<challenge> decode_challenge(core::bytes_view bytes);

/// Why a conversation ends. Stable numbers: they cross the wire.
enum class refusal_code : std::uint16_t {
  malformed = 1,
  version = 2,        ///< no protocol version in common
  wrong_cluster = 3,  ///< another cluster id
  wrong_secret = 4,   ///< the proof does not match
  wrong_node = 5,     ///< the dialer wanted another node
  same_node = 6,      ///< the peer has this node's own id
  duplicate_node = 7, ///< another live process has the peer's id
  redundant = 8,      ///< there is a link already, or a better one comes
  not_admitted = 9,   ///< the cluster does not (any longer) know the peer
  busy = 10,          ///< too many conversations at once
  timed_out = 11,
  stopping = 12,
  tls_required = 13,   ///< plain bytes where TLS is spoken
  tls_unexpected = 14, ///< TLS where plain bytes are spoken
  tls_failed = 15,     ///< certificates or protocol; never sent
  closed = 16,         ///< the peer hung up; never sent
};
inline constexpr std::size_t refusal_codes = 17;
std::string_view to_string(refusal_code code) noexcept;

struct refusal {
  refusal_code code{};
  std::string text; ///< for people

  friend bool operator==(const refusal&, const refusal&) = default;
};
std::string encode(const refusal& r);
core::result<refusal> decode_refusal(core::bytes_view bytes);
std::string to_string(const refusal& r);

} // namespace troupe::actors::links
