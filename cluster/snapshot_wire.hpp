// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft_message.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>

/// How the contents of a snapshot travel: the leader offers them, the receiver
/// says how much of them it wants, chunks follow in order.
///
///   frame = version u8 (1), body, crc32c u32 over all before
///
/// Integers are little-endian; the body holds the members of the struct in the
/// order of their declaration. docs/formats/group-frames.md tells the story.
namespace troupe::cluster {

/// One frame with a chunk is at most this large.
inline constexpr std::size_t snapshot_frame_bytes_max = std::size_t{256} * 1024;
/// Room for contents in it.
inline constexpr std::size_t snapshot_chunk_bytes_max =
    snapshot_frame_bytes_max - 64;

/// "I have contents for you." Repeated while there is no answer; the answer
/// says where to go on.
struct snapshot_offer {
  /// Chosen by the sender, at random.
  std::uint64_t transfer = 0;
  std::uint64_t bytes = 0;
  /// CRC-32C of all of them.
  std::uint32_t checksum = 0;
  /// To be stepped by the receiver when it has them.
  install_snapshot announcement;

  friend bool operator==(const snapshot_offer&,
                         const snapshot_offer&) = default;
};

struct snapshot_chunk {
  std::uint64_t transfer = 0;
  std::uint64_t offset = 0;
  core::shared_bytes bytes;

  friend bool operator==(const snapshot_chunk&,
                         const snapshot_chunk&) = default;
};

/// The numbers are sent.
enum class snapshot_state : std::uint8_t {
  receiving = 1,  ///< send what is allowed, from `received` on.
  installing = 2, ///< all is here; ask again.
  installed = 3,  ///< done, or it was not needed.
  refused = 4,    ///< no room, damaged, or an outdated leader.
};

struct snapshot_progress {
  std::uint64_t transfer = 0;
  snapshot_state state = snapshot_state::receiving;
  /// Bytes that are safe with the receiver.
  std::uint64_t received = 0;
  /// The sender may send up to here.
  std::uint64_t allowed = 0;
  /// Something was lost on the way: begin again at `received`.
  bool rewind = false;

  friend bool operator==(const snapshot_progress&,
                         const snapshot_progress&) = default;
};

[[nodiscard]] core::shared_bytes encode(const snapshot_offer& m);
[[nodiscard]] core::shared_bytes encode(const snapshot_chunk& m);
[[nodiscard]] core::shared_bytes encode(const snapshot_progress& m);

/// What a leader tells a node that is no member and does not know: the entry
/// with the members it goes by.
[[nodiscard]] core::shared_bytes encode_not_member(core::log_index members);
[[nodiscard]] core::result<core::log_index>
decode_not_member(const core::shared_bytes& frame);

/// Errors: corrupt if the checksum is wrong, newer_format, malformed. Never
/// throw. The bytes of a chunk are a slice of the frame.
[[nodiscard]] core::result<snapshot_offer>
decode_snapshot_offer(const core::shared_bytes& frame);
[[nodiscard]] core::result<snapshot_chunk>
decode_snapshot_chunk(const core::shared_bytes& frame);
[[nodiscard]] core::result<snapshot_progress>
decode_snapshot_progress(const core::shared_bytes& frame);

} // namespace troupe::cluster
